"""What a visitor takes along when they log in."""

from __future__ import annotations

from typing import Any

from .conftest import OpenTab, Walked
from .raw_tab import STATE, RawTab, opened_under_its_token

APP = f"{STATE}.access_app___access_app____"


def last(tab: RawTab, name: str) -> Any:
    """The latest value of a variable that a tab was told."""
    return [value for _, variable, value in tab.values() if variable == name][-1]


async def next_in_tab(walked: Walked, tab: RawTab, handle: str | None) -> RawTab:
    """The tab, closed and opened again with this cookie."""
    await tab.close()
    return await opened_under_its_token(lambda: RawTab(walked.url, handle, token=tab.token))


async def test_cart(walked: Walked, tab: OpenTab) -> None:
    """A State that is marked goes along into the login that follows in the same tab, backend
    variables included; once, so that it is not there for another user afterwards."""
    visitor = await tab()
    await visitor.send(f"{APP}cart.put", {"text": "of-the-visitor"})
    await visitor.send(f"{APP}open.say", {"text": "said-by-the-visitor"})
    await visitor.settle()
    ann = await next_in_tab(walked, visitor, await walked.person("cart-ann"))
    await ann.send(f"{APP}cart.show_hint", {})
    await ann.settle()
    assert last(ann, "items") == ["of-the-visitor"]
    assert last(ann, "coupon") == "hint of of-the-visitor"
    assert not ann.hears("said-by-the-visitor")
    nobody = await next_in_tab(walked, ann, None)
    assert last(nobody, "items") == []
    bea = await next_in_tab(walked, nobody, await walked.person("cart-bea"))
    assert last(bea, "items") == []
    await bea.close()


async def test_own_cart(walked: Walked, tab: OpenTab) -> None:
    """What a user has put into it stays theirs over a reconnect, and nothing is added later."""
    handle = await walked.person("cart-own")
    user = await tab(handle)
    await user.send(f"{APP}cart.put", {"text": "of-the-user"})
    await user.settle()
    nobody = await next_in_tab(walked, user, None)
    await nobody.send(f"{APP}cart.put", {"text": "of-a-visitor"})
    await nobody.settle()
    assert last(nobody, "items") == ["of-a-visitor"]
    again = await next_in_tab(walked, nobody, handle)
    assert last(again, "items") == ["of-the-user"]
    await again.close()
