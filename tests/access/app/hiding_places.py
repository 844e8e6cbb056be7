"""Where a handler may keep something besides the variables that a State declares."""

import reflex as rx

from .setting import auth, note


class Kept(rx.State):
    """For signed-in users, as nothing here is marked."""

    shown: str = "nothing"

    @rx.event
    def keep(self, text: str):
        note(self, f"keep {text}")
        self.__undeclared = text

    @rx.event
    def show(self):
        note(self, "show")
        self.shown = f"name: {getattr(self, '_Kept__undeclared', '')}."


class Slotted(rx.State):
    """Likewise; it has a slot and no variable."""

    __slots__ = ("slot",)

    @rx.event
    def stow(self, text: str):
        note(self, f"stow {text}")
        self.slot = text

    @rx.event
    async def tell(self):
        note(self, "tell")
        (await self.get_state(Kept)).shown = f"slot: {getattr(self, 'slot', '')}."


@auth.public
class Board(rx.State):
    """For everybody, but for a variable that no browser is told of."""

    shown: str = "nothing"
    _note: str = ""

    @rx.event
    @auth.require()
    def pin(self, text: str):
        note(self, f"pin {text}")
        self._note = text

    @rx.event
    def look(self):
        note(self, "look")
        self.shown = f"note: {self._note}."


auth.require_for(Board, "_note")


@auth.public
class Digest(rx.State):
    """For everybody, but for what is computed of what is not."""

    title: str = ""

    @rx.var(backend=True)
    @auth.require()
    async def _digest(self) -> str:
        return f"digest of {(await self.get_state(Kept)).shown}"

    @rx.event
    @auth.require()
    async def sum_up(self):
        note(self, "sum_up")
        self.title = "for everybody"
        await self._digest


def places() -> rx.Component:
    return rx.el.span(Kept.shown, Board.shown)
