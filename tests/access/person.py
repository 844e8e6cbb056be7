"""Somebody who uses the app: what there is about them, and whether it is in what others hear."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.auth.session import hash_session_id

from .product import ALICE, BOB, Product, describe
from .raw_tab import STATE, RawTab

SUB = {ALICE: "auth0|65a4f1c2d3e4b5a697887901", BOB: "auth0|65a4f1c2d3e4b5a697887902"}


@dataclass
class Person:
    """Somebody who is logged in twice, with a tab that shows all that there is about them."""

    walked: Product
    email: str
    mark: str
    tabs: list[RawTab] = field(default_factory=list)

    async def arrive(self) -> None:
        """Log in, open a page, and wait for what is shown there."""
        describe(self.walked.tenant, self.email, self.mark)
        self.metadata = self.walked.tenant.metadata(self.email)
        self.other, self.handle = [await self.walked.log_in(self.email) for _ in range(2)]
        self.tab = self.opens(self.handle)
        shown = [self.tab.expect(f"{self.mark}-metadata"), self.tab.expect('"is_current"')]
        await self.tab.open()
        for each in shown:
            await each
        await self.tab.settle()
        self.sessions = await self.walked.sessions(self.handle)
        values = {(state, name): value for state, name, value in self.tab.values()}
        rows = next(value for (_, name), value in values.items() if name == "rows")
        self.devices = [row["id"] for row in rows]
        self.sid = values[STATE, "rx_router_session"]["session_id"]

    def opens(self, handle: str | None, token: str | None = None) -> RawTab:
        """A tab, not connected yet."""
        self.tabs.append(RawTab(self.walked.url, handle, token=token, package="app"))
        return self.tabs[-1]

    def is_in(self, text: str) -> bool:
        """Whether anything of theirs is in it."""
        references = [hash_session_id(handle) for handle in (self.handle, self.other)]
        own = [self.mark, self.email, SUB[self.email], self.handle, self.other, *references]
        return any(each in text for each in [*own, *self.devices])
