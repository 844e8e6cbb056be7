"""Where Reflex keeps states in files: what is written for a tab, and what is read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..servers import wait_until
from .conftest import Walked, running, visited_after
from .raw_tab import STATE, RawTab

PATIENCE = 20.0  # seconds until something is written
APP = f"{STATE}.access_app___access_app____"
PLACES = f"{STATE}.access_app___hiding_places____"
GUARDED, MIXED = f"{APP}guarded", f"{APP}mixed"
KEPT, DIGEST = f"{PLACES}kept", f"{PLACES}digest"
OF_USER = f"{STATE}.access_app___auth___reflex___state____auth_state"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """One that is stopped and started again."""
    directory = tmp_path_factory.mktemp("files")
    with running(directory, limits="off", runs_on=True) as app:
        yield app


async def left_by_somebody(app: Walked, text: str) -> RawTab:
    """The closed tab of a user who has written to a State, and let another, which is for everybody,
    compute something of it; the files of its States are there."""
    tab = await used_by_somebody(app, text)
    await tab.close()
    return tab


async def used_by_somebody(app: Walked, text: str) -> RawTab:
    """The same, with the tab still open."""
    tab = RawTab(app.url, await app.person(text))
    await tab.open()
    for written in ("first", text):  # the second time only when all are written of the first
        await tab.send(f"{GUARDED}.write", {"text": written})
        await tab.send(f"{KEPT}.keep", {"text": written})
        await tab.send(f"{KEPT}.show", {})
        await tab.send(f"{DIGEST}.sum_up", {})
        await tab.settle()
        for state in (GUARDED, DIGEST):
            file = app.state_file(tab.tree, state)
            wait_until(lambda file=file, text=written: has(file, text), PATIENCE)
    return tab


def has(file: Path, text: str) -> bool:
    """Whether it is there, and has this text in it."""
    return file.exists() and text.encode() in file.read_bytes()


async def test_only_what_was_used(app: Walked) -> None:
    """For a State to which nobody has written there is no file, though the user of the tab came
    anew."""
    tab = await left_by_somebody(app, "somebody")
    assert app.state_file(tab.tree, OF_USER).exists()
    assert not app.state_file(tab.tree, MIXED).exists()


async def test_files_of_a_session_that_ended(app: Walked) -> None:
    """When a user logs out, nothing of theirs is left in the files of the tabs that are open."""
    tab = await used_by_somebody(app, "of-the-one-before")
    files = [app.state_file(tab.tree, state) for state in (GUARDED, DIGEST, KEPT)]
    assert all(has(file, "of-the-one-before") for file in files)
    await app.log_out(tab.handle)
    wait_until(lambda: not any(has(file, "of-the-one-before") for file in files), PATIENCE)
    await tab.settle()
    await tab.close()
    assert tab.connections == 2


async def test_user_who_is_no_longer_known(app: Walked) -> None:
    """What a user left in a file is not shown to the next one of the tab after a restart."""
    tab = await left_by_somebody(app, "of-the-unknown")
    app.server.stop()
    app.state_file(tab.tree, OF_USER).unlink()
    assert has(app.state_file(tab.tree, GUARDED), "of-the-unknown")
    app.server.start()
    following = await visited_after(app, tab)
    assert not following.hears("of-the-unknown")
