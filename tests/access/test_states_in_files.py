"""Where Reflex keeps states in files: what is written for a tab, and what is read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..servers import wait_until
from .conftest import Walked, connected_after, running, visited_after
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
    tab = RawTab(app.url, await app.person(text))
    await tab.open()
    for written in ("first", text):  # the second time only when all are written of the first
        await tab.send(f"{GUARDED}.write", {"text": written})
        await tab.send(f"{KEPT}.keep", {"text": written})
        await tab.send(f"{KEPT}.show", {})
        await tab.send(f"{DIGEST}.sum_up", {})
        await tab.settle()
        for state in (GUARDED, DIGEST):
            file = app.state_file(tab.token, state)
            wait_until(lambda file=file, text=written: has(file, text), PATIENCE)
    await tab.close()
    return tab


def has(file: Path, text: str) -> bool:
    """Whether it is there, and has this text in it."""
    return file.exists() and text.encode() in file.read_bytes()


async def test_only_what_was_used(app: Walked) -> None:
    """For a State to which nobody has written there is no file, though the user of the tab came
    anew."""
    tab = await left_by_somebody(app, "somebody")
    assert app.state_file(tab.token, OF_USER).exists()
    assert not app.state_file(tab.token, MIXED).exists()


async def test_files_of_the_user_before(app: Walked) -> None:
    """When the next user of a tab is there, nothing of the one before is left in a file, not even
    until everything is written anew; which what is for everybody is."""
    tab = await left_by_somebody(app, "of-the-one-before")
    following = await connected_after(app, tab, "next")
    await following.settle()
    for state in (GUARDED, DIGEST):
        assert not has(app.state_file(tab.token, state), "of-the-one-before")
    digest = app.state_file(tab.token, DIGEST)
    wait_until(lambda: has(digest, "for everybody"), PATIENCE)
    assert not has(digest, "of-the-one-before")
    await following.close()


async def test_file_that_cannot_be_removed(app: Walked) -> None:
    """Where a file cannot be removed, the others are, the next user of the tab is served even so,
    and the log says why."""
    tab = await left_by_somebody(app, "of-the-one-who-stays")
    file = app.state_file(tab.token, DIGEST)
    file.unlink()
    file.mkdir()
    following = await visited_after(app, tab)
    assert not following.hears("of-the-one-who-stays")
    assert not has(app.state_file(tab.token, GUARDED), "of-the-one-who-stays")
    assert "What a user left in a file cannot be removed" in app.server.log.read_text()


async def test_user_who_is_no_longer_known(app: Walked) -> None:
    """What a user left in a file is not shown to the next one of the tab, though it is no longer
    known whose the tab was."""
    tab = await left_by_somebody(app, "of-the-unknown")
    app.server.stop()
    app.state_file(tab.token, OF_USER).unlink()
    assert has(app.state_file(tab.token, GUARDED), "of-the-unknown")
    app.server.start()
    following = await visited_after(app, tab)
    assert not following.hears("of-the-unknown")
