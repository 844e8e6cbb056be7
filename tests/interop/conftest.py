"""What the tests here share: a client's addresses, and providers that run for a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..servers import free_port
from .logout_receiver import LogoutReceiver, running_logout_receiver
from .provider_process import ClientURLs
from .user_agent import UserAgent


@pytest.fixture(scope="module")
def receiver() -> Iterator[LogoutReceiver]:
    """Where back-channel logout ends."""
    with running_logout_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def urls(receiver: LogoutReceiver) -> ClientURLs:
    """Of an app that does not run: the tests read what would be sent to it."""
    app = f"http://127.0.0.1:{free_port()}"
    return ClientURLs(f"{app}/auth/callback", f"{app}/", receiver.url)


@pytest.fixture
def agent(urls: ClientURLs) -> Iterator[UserAgent]:
    """A browser without cookies."""
    agent = UserAgent(urls.post_logout_redirect_uri)
    yield agent
    agent.close()
