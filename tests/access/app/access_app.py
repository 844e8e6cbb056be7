"""An app with handlers and variables of each kind. Each handler that runs says so in a file."""

import asyncio
import contextlib
import enum
import os

import httpx
import reflex as rx

from .auth import any_of, authenticated_within, has_role, has_scope
from .hiding_places import places
from .setting import auth, note

if os.environ["ACCESS_API"]:
    from . import loading  # noqa: F401

held: dict[str, asyncio.Event] = {}


def breaks(viewer) -> bool:
    raise RuntimeError("a check that raises")


async def has_name(viewer) -> bool:
    return bool(viewer.user.get("name"))


@auth.public
class Open(rx.State):
    """For everybody; `mark` is how a test knows that what it sent before has been worked off."""

    mark: str = ""

    @rx.event
    def say(self, text: str):
        note(self, f"say {text}")
        self.mark = text

    @rx.event
    def release(self, text: str):
        held.pop(text).set()

    @rx.event(background=True)
    async def tell_held(self, text: str):
        """Goes on once it is released, for whoever is there then."""
        released = held[text] = asyncio.Event()
        async with self:
            self.mark = f"begun-{text}"
        await released.wait()
        async with self:
            self.mark = text
        yield rx.toast.info(f"told-{text}")

    @rx.event
    async def mark_tab(self, token: str, text: str):
        """From outside of its own events."""
        async with app.modify_state(rx.BaseStateToken(ident=token, cls=Open)) as state:
            (await state.get_state(Open)).mark = text

    @rx.event
    def chain(self, text: str):
        return Guarded.write(text)

    @rx.event
    @auth.require(has_role("admin"))
    def administer(self, text: str):
        note(self, f"administer {text}")


class Guarded(rx.State):
    """Nothing here is marked, so everything is for signed-in users."""

    secret: str = "nothing"
    copied: str = "nothing"
    numbers: list[int] = []

    @rx.var
    def loud(self) -> str:
        return self.secret.upper()

    @rx.var
    @auth.public
    def length(self) -> int:
        return len(self.numbers)

    @rx.event
    def write(self, text: str):
        note(self, f"write {text}")
        self.secret = text
        self.numbers.append(1)

    @rx.event
    async def write_async(self, text: str):
        note(self, f"write_async {text}")
        self.secret = text

    @rx.event
    def write_slowly(self, text: str):
        note(self, f"write_slowly {text}")
        yield
        self.secret = text

    @rx.event(background=True)
    async def write_later(self, text: str):
        note(self, f"write_later {text}")
        async with self:
            self.secret = text

    @rx.event(background=True)
    @auth.require_login
    async def write_bound(self, text: str):
        note(self, f"write_bound {text}")
        async with self:
            self.secret = text

    @rx.event
    async def write_held(self, text: str):
        """Goes on once it is released."""
        self.secret = f"begun-{text}"
        released = held[text] = asyncio.Event()
        yield
        await released.wait()
        self.secret = text

    @rx.event(background=True)
    @auth.require_login
    async def ask(self, url: str):
        async with auth.http_client(self) as http:
            with contextlib.suppress(httpx.HTTPError):
                await http.get(url)
        note(self, "ask")

    @rx.event
    @auth.public
    def copy_secret(self):
        self.copied = self.secret

    @rx.event
    async def take(self, files: list[rx.UploadFile]):
        note(self, f"take {len(await files[0].read())}")

    def undecorated(self, text: str):
        note(self, f"undecorated {text}")

    def set_secret(self, text: str):
        note(self, f"set_secret {text}")
        self.secret = text

    @rx.event
    @auth.public
    def open_door(self, text: str):
        note(self, f"open_door {text}")


@auth.require(has_role("admin"), has_name)
class Admin(rx.State):
    """Of administrators."""

    plan: str = "none"

    @rx.event
    def plan_something(self, text: str):
        note(self, f"plan_something {text}")
        self.plan = text

    @rx.event
    def set_plan(self, value: str):
        note(self, f"set_plan {value}")
        self.plan = value


class Tally(rx.ComponentState):
    """One that Reflex makes a State of; not marked either."""

    total: str = "nothing"

    @rx.event
    def add(self, text: str):
        note(self, f"add {text}")
        self.total = text

    @classmethod
    def get_component(cls, *children, **props):
        return rx.el.span(cls.total)


tally = Tally.create()


def made() -> type[rx.State]:
    """A State that is defined in a function; not marked either."""

    class Local(rx.State):
        @rx.event
        def keep(self, text: str):
            note(self, f"keep {text}")

    return Local


local = made()


class Mixed(rx.State):
    """Checks on single handlers and variables."""

    salary: str = "0"
    title: str = "none"

    @rx.event
    @auth.require(has_role("admin"))
    def set_salary(self, value: str):
        note(self, f"set_salary {value}")

    @rx.event
    @auth.require()
    def set_title(self, value: str):
        note(self, f"set_title {value}")

    @rx.event
    def count_to(self, number: int, names: list[str], unit: str = "steps"):
        note(self, f"count_to {number} {unit} for {names}")

    @rx.event
    @auth.require(has_scope("read:messages"))
    def read(self, text: str):
        note(self, f"read {text}")

    @rx.event
    @auth.require(authenticated_within(60))
    def pay(self, text: str):
        note(self, f"pay {text}")

    @rx.event
    @auth.require(breaks)
    def broken(self, text: str):
        note(self, f"broken {text}")

    @rx.event
    async def fill_from(self, files: list[rx.UploadFile]):
        self.salary = self.title = (await files[0].read()).decode()

    @rx.event
    def fill(self, text: str):
        note(self, f"fill {text}")
        self.salary = self.title = text


auth.require_for(Mixed, "salary", checks=[has_role("admin")])


class Remembered(rx.State):
    """What the browser keeps."""

    stored: str = rx.LocalStorage("nothing stored")


auth.require_for(Remembered, "stored", checks=[has_role("admin")])


@auth.public
class Forum(rx.State):
    """For everybody, but for one variable and what is computed of it."""

    draft: str = "empty"

    @rx.event
    @auth.require()
    def keep(self, text: str):
        note(self, f"keep {text}")
        self.draft = text

    @rx.var
    @auth.require()
    def loud_draft(self) -> str:
        return self.draft.upper()


auth.require_for(Forum, "draft")


@auth.public
@auth.carry_over
class Cart(rx.State):
    """For everybody, and taken along into a login."""

    items: list[str] = []
    coupon: str = ""
    _hint: str = ""

    @rx.event
    def put(self, text: str):
        self.items.append(text)
        self._hint = f"hint of {text}"

    @rx.event
    def show_hint(self):
        self.coupon = self._hint


def owns(viewer, state, order_id) -> bool:
    """An order that there is not raises."""
    return state.owners[order_id] == viewer.user.get("nickname")


async def owns_shown(viewer, state) -> bool:
    return state.owners[state.router.url.query_parameters["id"]] == viewer.user.get("nickname")


def is_small(viewer, state, size) -> bool:
    return size is Size.SMALL and isinstance(state, Orders)


def is_single(viewer, files) -> bool:
    return len(files) == 1


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Orders(rx.State):
    """Whose order is whose; checks look at the arguments."""

    owners: dict[str, str] = {"1": "ann", "2": "ben"}

    @rx.event
    @auth.require(owns)
    def cancel(self, order_id: str):
        note(self, f"cancel {order_id}")

    @rx.event
    @auth.require(owns)
    def cancel_slowly(self, order_id: str):
        note(self, f"cancel_slowly {order_id}")
        yield

    @rx.event(background=True)
    @auth.require(owns)
    async def cancel_later(self, order_id: str):
        note(self, f"cancel_later {order_id}")

    @rx.event
    @auth.require(any_of(has_role("admin"), owns))
    async def look_into(self, order_id: str):
        note(self, f"look_into {order_id}")

    @rx.event
    @auth.require(owns)
    def cancel_last(self, order_id: str = "2"):
        note(self, f"cancel_last {order_id}")

    @rx.event
    @auth.require(owns)
    def set_chosen(self, order_id: str):
        note(self, f"set_chosen {order_id}")

    @rx.event
    @auth.require(is_small)
    def pack(self, size: Size):
        note(self, f"pack {size}")

    @rx.event
    @auth.require(is_single)
    async def attach(self, files: list[rx.UploadFile]):
        note(self, f"attach {len(files)}")

    @rx.event
    @auth.public
    def cancel_for(self, order_id: str):
        return Orders.cancel(order_id)

    @rx.event
    @auth.require(owns_shown)
    def show(self):
        note(self, "show")


class Wishes(rx.State):
    """What a visitor clicks is done after the login."""

    wishes: list[str] = []

    @rx.event
    @auth.require_login(replay=True)
    def wish(self, text: str):
        note(self, f"wish {text}")
        self.wishes.append(text)

    @rx.event(background=True)
    @auth.require_login(replay=True)
    async def wish_later(self, text: str):
        note(self, f"wish_later {text}")

    @rx.event
    @auth.require_login(replay=True)
    @auth.require(has_role("admin"))
    def wish_much(self, text: str):
        note(self, f"wish_much {text}")

    @rx.event
    @auth.public
    def wish_for(self, text: str):
        return Wishes.wish(text)

    @rx.event
    @auth.public
    def begin(self):
        note(self, "begin")


class Room(rx.SharedState):
    """What all tabs have in common that are in the same room."""

    said: list[str] = []

    @rx.event
    async def join(self, text: str):
        note(self, f"join {text}")
        await self._link_to(text)

    @rx.event
    def say(self, text: str):
        note(self, f"say_in_room {text}")
        self.said.append(text)


def page() -> rx.Component:
    return rx.el.p(
        rx.upload(id="files"),
        Open.mark,
        places(),
        Guarded.secret,
        Guarded.loud,
        Admin.plan,
        Mixed.salary,
        Mixed.title,
        Cart.items,
        Cart.coupon,
        Remembered.stored,
        tally,
    )


@auth.require(has_role("admin"))
def admins() -> rx.Component:
    return rx.el.p("For administrators")


def shown() -> rx.Component:
    return rx.el.p("An order")


def begun() -> rx.Component:
    return rx.el.p("A page that loads something")


app = rx.App()
app.add_page(auth.public(page), route="/")
app.add_page(admins, route="/admins")
app.add_page(page, route="/guarded")
app.add_page(auth.public(shown), route="/shown", on_load=Orders.show)
app.add_page(auth.public(begun), route="/begun", on_load=[Wishes.begin, Wishes.wish("on load")])
auth.install(app)
