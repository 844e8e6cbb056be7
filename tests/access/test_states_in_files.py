"""Where Reflex keeps states in files: what is written for a tab, and what is read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..servers import wait_until
from .conftest import Walked, connected_after, running
from .raw_tab import STATE, RawTab

PATIENCE = 20.0  # seconds until something is written
APP = f"{STATE}.access_app___access_app____"
GUARDED, MIXED = f"{APP}guarded", f"{APP}mixed"
OF_USER = f"{STATE}.access_app___auth___ui___state____auth_state"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """One that is stopped and started again."""
    directory = tmp_path_factory.mktemp("files")
    with running(directory, limits="off", runs_on=True) as app:
        yield app


async def left_by_somebody(app: Walked, text: str) -> RawTab:
    """The closed tab of a user who has written to one State; the files of its States are there."""
    tab = RawTab(app.url, await app.person(text))
    await tab.open()
    for written in ("first", text):  # the second time only when all are written of the first
        await tab.send(f"{GUARDED}.write", {"text": written})
        await tab.settle()
        wait_until(lambda text=written: has(app.state_file(tab.token, GUARDED), text), PATIENCE)
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
    until everything is written anew."""
    tab = await left_by_somebody(app, "of-the-one-before")
    following = await connected_after(app, tab, "next")
    await following.settle()
    assert not has(app.state_file(tab.token, GUARDED), "of-the-one-before")
    await following.close()


async def test_user_who_is_no_longer_known(app: Walked) -> None:
    """What a user left in a file is not shown to the next one of the tab, though it is no longer
    known whose the tab was."""
    tab = await left_by_somebody(app, "of-the-unknown")
    app.server.stop()
    app.state_file(tab.token, OF_USER).unlink()
    assert has(app.state_file(tab.token, GUARDED), "of-the-unknown")
    app.server.start()
    following = await connected_after(app, tab, "next")
    await following.settle()
    await following.load()
    await following.close()
    assert [value for _, name, value in following.values() if name == "user"]
    assert not following.hears("of-the-unknown")
