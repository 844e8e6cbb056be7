"""What an open tab does when the claims of its session change, in the same place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.auth.flows.session_events import SessionEventKind, SessionEvents
from app.auth.session import Sealer, SQLiteSessionStore, hash_session_id

from ..e2e.stack import SECRET
from .conftest import OpenTab, Walked
from .raw_tab import STATE, RawTab

APP = f"{STATE}.access_app___access_app____"


async def set_claims(app: Walked, handle: str, *, is_told: bool = True, **claims: Any) -> None:
    """What another process of the app does when a refresh brings other claims. If not `is_told`,
    the message to the others is lost."""
    store = SQLiteSessionStore(app.store_file, Sealer((SECRET,)))
    key = hash_session_id(handle)
    stored = await store.load(key)
    assert stored
    session = replace(
        stored.session,
        user={"sub": stored.session.sub, **claims},
        claims_version=stored.session.claims_version + 1,
    )
    assert await store.compare_and_swap(key, stored.version, session)
    if is_told:
        events = SessionEvents(store, handle=_nothing, look_again=_nothing)
        await events.publish(SessionEventKind.CLAIMS_CHANGED, key)
    await store.close()


async def _nothing(*_: object) -> None:
    """No tab is open in this process."""


def last(tab: RawTab, variable: str) -> Any:
    """The last value of a variable that the tab heard."""
    return [value for _, name, value in tab.values() if name == variable][-1]


async def test_every_tab_follows(walked: Walked, tab: OpenTab) -> None:
    """Every tab of the session shows the new name, decides about pages with checks again, and gets
    the guarded values anew: those that its user may no longer see are replaced by their defaults.
    No connection is closed, and another user's tab hears nothing."""
    handle = await walked.person("fay", name="Fay", roles=["admin"])
    other = await tab(await walked.person("gus", name="Gus", roles=["admin"]))
    tabs = [await tab(handle), await tab(handle)]
    for each in tabs:
        await each.send(f"{APP}admin.plan_something", {"text": "a-secret-plan"})
        await each.settle()
        assert last(each, "plan") == "a-secret-plan"
        assert set(last(each, "page_access").values()) == {"allowed"}
    other.heard.clear()
    heard = [each.expect('"name":"Faye"') for each in tabs]
    await set_claims(walked, handle, name="Faye", roles=[])
    for each, arrives in zip(tabs, heard, strict=True):
        await arrives
        await each.settle()
        assert last(each, "user") == {"sub": "fay", "name": "Faye"}
        assert set(last(each, "page_access").values()) == {"forbidden"}
        assert last(each, "plan") == "none"
        assert each.connections == 1
    await set_claims(walked, handle, name="Faye", roles=["admin"])
    for each in tabs:
        await each.settle()
        assert last(each, "plan") == "a-secret-plan"
        assert set(last(each, "page_access").values()) == {"allowed"}
    await other.settle()
    assert not other.hears("fay")


async def test_lost_message(walked: Walked, tab: OpenTab) -> None:
    """If the message about new claims is lost, the next event is decided by the new claims all the
    same, and the tab shows them."""
    handle = await walked.person("hal", name="Hal", roles=["admin"])
    user = await tab(handle)
    await set_claims(walked, handle, is_told=False, name="Hal", email="hal@example.com", roles=[])
    before = walked.lines()
    await user.send(f"{APP}admin.plan_something", {"text": "too-late"})
    await user.settle()
    assert walked.lines() == before
    assert last(user, "user") == {"sub": "hal", "name": "Hal", "email": "hal@example.com"}
    assert set(last(user, "page_access").values()) == {"forbidden"}
    await set_claims(walked, handle, is_told=False, name="Halley")
    await user.send(f"{APP}guarded.write", {"text": "an event without checks"})
    await user.settle()
    assert last(user, "user") == {"sub": "hal", "name": "Halley"}


async def test_private_claims(walked: Walked, tab: OpenTab) -> None:
    """A claim that is neither standard nor named by the app is in no frame; checks see it."""
    handle = await walked.person("ivy", name="Ivy", roles=["admin"], internal_note="of-the-staff")
    user = await tab(handle)
    await user.send(f"{APP}admin.plan_something", {"text": "seen"})
    await user.settle()
    assert walked.lines()[-1] == "plan_something seen"
    await set_claims(walked, handle, name="Ivy", roles=["admin"], internal_note="of-the-boss")
    await user.settle()
    assert not user.hears("of-the-staff")
    assert not user.hears("of-the-boss")
    assert not user.hears('"roles"')
