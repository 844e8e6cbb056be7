"""A client by hand calls all of the app's surface report, as those who may not."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from app.auth.session import hash_session_id

from .attempts import NO_EVENTS, forged_fields, names_like, payloads, settings
from .person import Person
from .product import ALICE, BOB, Product, product
from .raw_tab import STATE, RawTab, opened_under_its_token

USER = (f"{STATE}.app___auth___reflex___state____auth_state", "user")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The app, and what it is said to offer."""
    with product(tmp_path_factory.mktemp("walk")) as running:
        yield running


@pytest.fixture
async def alice(walked: Product) -> AsyncIterator[Person]:
    """The one whose data everybody else is after."""
    person = Person(walked, ALICE, "sentinel-of-alice")
    await person.arrive()
    yield person
    for tab in person.tabs:
        await tab.close()


@pytest.fixture
async def bob(walked: Product) -> AsyncIterator[Person]:
    """Another user."""
    person = Person(walked, BOB, "sentinel-of-bob")
    await person.arrive()
    yield person
    for tab in person.tabs:
        await tab.close()


def short(name: str) -> str:
    """A full name as the report has it."""
    state, _, last = name.rpartition(".")
    nearest = state.rpartition(".")[2]
    return f"{nearest.replace('____', '.').replace('___', '.')}.{last}"


def guarded(walked: Product, kind: str) -> set[str]:
    """What the report says is not for everybody."""
    rows = [row for row in walked.report if row.kind == kind]
    assert rows
    return {row.name for row in rows if row.rule != "public"}


async def call_everything(walked: Product, tab: RawTab, alice: Person) -> Counter[str]:
    """Every handler of the report with all payloads; how often each that is guarded was reached."""
    full_names = {short(name): name for name in walked.arguments}
    calls: Counter[str] = Counter()
    handlers = [row for row in walked.report if row.kind == "handler"]
    assert handlers
    for row in handlers:
        name = full_names[row.name]
        for payload in payloads(walked.arguments[name], alice.devices[-1]):
            await tab.send(name, payload)
            calls[row.name] += row.rule != "public"
    await finish(tab, full_names)
    return +calls


async def finish(tab: RawTab, full_names: dict[str, str]) -> None:
    """Wait for what was called, and then for a background handler that goes over the network."""
    await tab.settle()
    external = "app.pages.external.external_state"
    answered = tab.expect('"answer_rx_state_":"{')
    await tab.send(full_names[f"{external}.call_public"], {})
    await answered
    await tab.settle()


def check_nothing_was_seen(walked: Product, tab: RawTab, alice: Person) -> None:
    """No frame has anything of Alice's, and everything that is guarded is as at the beginning."""
    assert tab.heard
    for frame in tab.heard:
        assert not alice.is_in(frame), frame
    variables, seen = guarded(walked, "variable"), set()
    for state, name, value in tab.values():
        assert (state, name) != USER or value is None
        if short(f"{state}.{name}") in variables:
            seen.add(short(f"{state}.{name}"))
            assert value == walked.defaults[state][f"{name}_rx_state_"], (state, name)
    assert seen == variables


async def check_nothing_has_changed(walked: Product, alice: Person) -> None:
    """Alice is logged in where she was, and her metadata is what it was."""
    left = await walked.sessions(alice.other)
    assert left | {hash_session_id(alice.handle)} == alice.sessions
    assert walked.tenant.metadata(ALICE) == alice.metadata


ROLES = ["anonymous", "ended", "stolen while it is open", "stolen after it was closed"]


async def tab_of(role: str, walked: Product, alice: Person) -> RawTab:
    """The tab of somebody who is nobody; what it heard before is forgotten."""
    if role == "ended":
        await walked.end(alice.handle)
        await alice.tab.settle()
        alice.tab.heard.clear()
        await alice.tab.send(f"{STATE}.hydrate", {})
        return alice.tab
    if role == "stolen after it was closed":
        await alice.tab.close()
        return await opened_under_its_token(lambda: alice.opens(None, alice.tab.token))
    tab = alice.opens(None, alice.tab.token if role.startswith("stolen") else None)
    await tab.open()
    return tab


@pytest.mark.parametrize("role", ROLES)
async def test_nobody(walked: Product, alice: Person, role: str) -> None:
    """Who is not signed in runs nothing that is guarded, whatever they send, and sees nothing."""
    tab = await tab_of(role, walked, alice)
    before = Counter(map(short, walked.refusals()))
    calls = await call_everything(walked, tab, alice)
    await tab.send(f"{STATE}.hydrate", {})
    await tab.settle()
    refused = Counter(map(short, walked.refusals())) - before
    assert set(calls) == set(refused) == guarded(walked, "handler")
    assert refused <= calls
    check_nothing_was_seen(walked, tab, alice)
    await check_nothing_has_changed(walked, alice)


@pytest.mark.parametrize("role", ROLES)
async def test_forged(walked: Product, alice: Person, role: str) -> None:
    """Neither names that look like those of handlers, nor what an event says about itself, nor
    what is no event at all makes anything run, or makes somebody of nobody."""
    tab = await tab_of(role, walked, alice)
    before = Counter(map(short, walked.refusals()))
    names = [name for name in walked.arguments if short(name) in guarded(walked, "handler")]
    for name in names:
        for other in names_like(name):
            await tab.send(other, {"device_id": alice.devices[-1], "form": {"metadata": "{}"}})
        payload, *_ = payloads(walked.arguments[name], alice.devices[-1])
        for fields in forged_fields(alice.handle, alice.sid, alice.tab.token):
            await tab.send(name, payload, **fields)
    for name, payload in settings(walked.defaults):
        await tab.send(name, payload)
    for event in NO_EVENTS:
        await tab.emit(event)
        await tab.emit(event, kind="event/" + STATE)
    await tab.send(f"{STATE}.hydrate", {})
    await finish(tab, {short(name): name for name in walked.arguments})
    assert set(Counter(map(short, walked.refusals())) - before) == guarded(walked, "handler")
    # Whether the page is ready, and whose its storage is, is the browser's own to say.
    forged = {name for _, name, value in tab.values() if value == "forged"}
    assert forged <= {"is_hydrated", "storage_owner", "tab_storage_owner", "login_tag"}
    check_nothing_was_seen(walked, tab, alice)
    await check_nothing_has_changed(walked, alice)


@pytest.mark.parametrize("is_stolen", [False, True], ids=["own tab", "stolen tab token"])
async def test_another_user(walked: Product, alice: Person, bob: Person, is_stolen: bool) -> None:
    """Another user who calls everything reaches what is theirs, and nothing of anybody else's."""
    tab = bob.tab
    if is_stolen:
        await alice.tab.close()
        tab = await opened_under_its_token(lambda: bob.opens(bob.handle, alice.tab.token))
    before = walked.refusals()
    await call_everything(walked, tab, alice)
    assert walked.refusals() == before
    assert await has_written_their_own(walked, tab)
    assert await walked.sessions(bob.handle) == {hash_session_id(bob.handle)}
    for frame in tab.heard:
        assert not alice.is_in(frame), frame
    await check_nothing_has_changed(walked, alice)


async def has_written_their_own(walked: Product, tab: RawTab) -> bool:
    """Whether Bob can change his metadata; a change that the walk began may come in between."""
    full_names = {short(name): name for name in walked.arguments}
    profile = "app.pages.profile.profile_state"
    written = '{"written": "by bob"}'
    for _ in range(5):
        for name, payload in (
            ("cancel", {}),
            ("edit", {}),
            ("save", {"form": {"metadata": written}}),
        ):
            await tab.send(full_names[f"{profile}.{name}"], payload)
        for _ in range(50):
            await tab.settle()
            if walked.tenant.metadata(BOB) == written:
                return True
    return False
