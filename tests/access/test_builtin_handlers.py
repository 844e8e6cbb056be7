"""Reflex's own handlers act on what their payload names. They are held to the rule of that, whether
or not an app is secure by default."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from .conftest import Walked, running
from .raw_tab import STATE, RawTab

APP = f"{STATE}.access_app___access_app____"
UPDATE = f"{STATE}.reflex___state____update_vars_internal_state.update_vars_internal"
REPORT = f"{STATE}.reflex___state____frontend_event_exception_state.handle_frontend_exception"

Visit = tuple[Walked, RawTab]


@pytest.fixture(scope="module", params=[True, False], ids=["secure by default", "not by default"])
def walked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walked]:
    """The app in both modes."""
    directory = tmp_path_factory.mktemp("builtin")
    with running(directory, limits="off", is_secure=request.param) as app:
        yield app


@pytest.fixture(params=["nobody", "user", "admin"])
async def visit(request: pytest.FixtureRequest, walked: Walked) -> AsyncIterator[Visit]:
    """A tab of each kind of visitor."""
    roles = ["admin"] if request.param == "admin" else []
    is_user = request.param != "nobody"
    handle = await walked.person(request.param, name="Ann", roles=roles) if is_user else None
    tab = RawTab(walked.url, handle)
    await tab.open()
    yield walked, tab
    await tab.close()


async def ran(walked: Walked, tab: RawTab, *events: tuple[str, dict[str, Any]]) -> list[str]:
    """The names of the handlers that these events have run."""
    before = len(walked.lines())
    for name, payload in events:
        await tab.send(name, payload)
    await tab.settle()
    return [line.partition(" ")[0] for line in walked.lines()[before:]]


SETTERS = [("admin", "plan"), ("mixed", "salary"), ("mixed", "title"), ("guarded", "secret")]


async def test_setvar(visit: Visit) -> None:
    """`setvar` runs a setter for those, and only for those, who may call it directly."""
    walked, tab = visit
    for state, name in SETTERS:
        argument = "text" if state == "guarded" else "value"
        direct = await ran(walked, tab, (f"{APP}{state}.set_{name}", {argument: "x"}))
        payload = {"var_name": name, "value": "x"}
        assert await ran(walked, tab, (f"{APP}{state}.setvar", payload)) == direct, name


NO_SETTERS = ["salary_", "", "__class__", "x" * 1000, "set_salary", "é"]


async def test_setvar_of_nothing(visit: Visit) -> None:
    """A `setvar` that names no setter runs nothing, and leaves no traceback."""
    walked, tab = visit
    tracebacks = walked.server.log.read_text().count("Traceback")
    events = [
        (f"{APP}{state}.setvar", {"var_name": name, "value": "x"})
        for name in NO_SETTERS
        for state in ("admin", "mixed", "open")
    ]
    assert await ran(walked, tab, *events) == []
    assert walked.server.log.read_text().count("Traceback") == tracebacks


@pytest.mark.parametrize("handler", [UPDATE, f"{STATE}.hydrate_and_load"])
async def test_client_storage(visit: Visit, handler: str) -> None:
    """What a browser keeps is written into a variable only for those who may see it; a name that is
    no such variable is left out."""
    walked, tab = visit
    tracebacks = walked.server.log.read_text().count("Traceback")
    names = ("remembered.stored", "mixed.title", "remembered.nothing")
    values: dict[str, Any] = {f"{APP}{name}_rx_state_": "forged" for name in names}
    odd = {"no.such.state": "forged", "": "forged", f"{APP}remembered.stored": {"not": "a text"}}
    await ran(walked, tab, (handler, {"vars": values | odd}))
    await ran(walked, tab, (handler, {"vars": values}))
    # At a hydrate, what is not tagged as this user's own is another user's.
    is_taken = tab.hears('"sub":"admin"') and handler == UPDATE
    assert {name for _, name, value in tab.values() if value == "forged"} == (
        {"stored"} if is_taken else set()
    )
    assert walked.server.log.read_text().count("Traceback") == tracebacks


STORED = f"{APP}remembered.stored_rx_state_"


def owner(tab: RawTab) -> dict[str, str]:
    """The tags that a tab was told to keep beside what it stores."""
    state = f"{STATE}.access_app___auth___reflex___state____auth_state"
    tags = {
        name: value
        for each, name, value in tab.values()
        if each == state and value and name.endswith("storage_owner")
    }
    return {f"{state}.{name}_rx_state_": value for name, value in tags.items()}


async def test_client_storage_of_the_user_before(walked: Walked) -> None:
    """What a browser keeps for one user of a guarded variable is theirs when they come back, and is
    replaced by the default for the next user of that browser."""
    people = {
        name: await walked.person(f"storing-{name}", roles=["admin"]) for name in ("ann", "bea")
    }
    tabs = [RawTab(walked.url, people[name]) for name in ("ann", "ann", "bea")]
    await tabs[0].open()
    kept = {STORED: "kept-for-ann", **owner(tabs[0])}
    for tab in tabs[1:]:
        await tab.connect()
        await tab.send(f"{STATE}.hydrate_and_load", {"vars": kept})
        await tab.settle()
    for tab in tabs:
        await tab.close()
    _, again, following = tabs
    assert again.hears("kept-for-ann")
    assert not following.hears("kept-for-ann")
    assert [value for _, name, value in following.values() if name == "stored"][-1] == (
        "nothing stored"
    )
    assert owner(following).keys() == owner(again).keys()
    assert set(owner(following).values()).isdisjoint(owner(again).values())


MISFITS: list[tuple[str, dict[str, Any]]] = [
    (f"{APP}mixed.count_to", {}),
    (f"{APP}mixed.count_to", {"number": 1}),
    (f"{APP}mixed.count_to", {"number": 1, "names": [], "more": 1}),
    (f"{APP}mixed.count_to", {"number": "one", "names": []}),
    (f"{APP}mixed.count_to", {"number": 1, "names": "ann"}),
    (f"{APP}mixed.count_to", {"number": 1, "names": [1]}),
    (f"{APP}mixed.count_to", {"number": 1, "names": [], "unit": None}),
    (f"{APP}mixed.count_to", {"number": 1, "names": [], "self": 1}),
    (f"{APP}guarded.take", {"files": ["x"]}),
    (f"{APP}mixed.setvar", {}),
    (f"{APP}mixed.setvar", {"var_name": 1, "value": 1}),
    (f"{APP}mixed.setvar", {"var_name": "title", "value": 1}),
    (UPDATE, {}),
    (UPDATE, {"vars": "x"}),
    (f"{STATE}.hydrate_and_load", {"vars": []}),
    (f"{STATE}.hydrate_and_load", {"hashes": {}}),
    (f"{STATE}.set_is_hydrated", {"value": "x", "more": 1}),
    (REPORT, {"info": 1}),
]


async def test_arguments_that_do_not_fit(visit: Visit) -> None:
    """An event whose arguments do not fit its handler runs nothing and writes no traceback; many of
    them write a few lines."""
    walked, tab = visit
    tracebacks = walked.server.log.read_text().count("Traceback")
    size = walked.server.log.stat().st_size
    for _ in range(20):
        assert await ran(walked, tab, *MISFITS) == []
    assert walked.server.log.read_text().count("Traceback") == tracebacks
    assert walked.server.log.stat().st_size - size < 2000


async def test_arguments_that_fit(visit: Visit) -> None:
    """Arguments as a page sends them reach their handler."""
    walked, tab = visit
    payload = {"number": 2, "names": ["ann"], "unit": "rounds"}
    allowed = await ran(walked, tab, (f"{APP}guarded.write", {"text": "x"})) != []
    for each in (payload, {**payload, "number": "2"}, {"number": 2.0, "names": []}):
        assert (await ran(walked, tab, (f"{APP}mixed.count_to", each)) != []) == allowed


async def test_reports_of_exceptions(visit: Visit) -> None:
    """A browser that reports exceptions without end writes a few lines of the log, and no long
    one."""
    walked, tab = visit
    size = walked.server.log.stat().st_size
    reports = [(REPORT, {"info": "x" * 100_000, "component_stack": "y"})] * 50
    await ran(walked, tab, *reports)
    assert walked.server.log.stat().st_size - size < 10_000
