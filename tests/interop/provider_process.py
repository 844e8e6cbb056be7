"""What the providers have in common: an issuer, a client, a process, and pages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ..servers import Server
from .user_agent import Page, UserAgent

CLIENT_ID = "interop-app"
CLIENT_SECRET = "interop-secret-of-32-characters-at-least"


@dataclass(frozen=True, slots=True)
class ClientURLs:
    """Where the client is; it has to be registered with each provider."""

    redirect_uri: str
    post_logout_redirect_uri: str
    backchannel_logout_uri: str | None = None


class ProviderProcess(ABC):
    """A provider, not started yet. `issuer` is spelled as its discovery document spells it."""

    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET

    def __init__(self, issuer: str, server: Server) -> None:
        self.issuer = issuer
        self.server = server

    def start(self) -> None:
        """Start, and return once a login would work."""
        self.server.start()
        try:
            self.configure()
        except BaseException:
            self.server.stop()
            raise

    @abstractmethod
    def configure(self) -> None:
        """Tell the running program what it could not be told before."""

    def stop(self) -> None:
        """End the process; harmless when it does not run."""
        self.server.stop()

    @abstractmethod
    def log_in(self, agent: UserAgent, url: str) -> Page:
        """Go to an authorization URL, and through all pages back to the app."""

    @abstractmethod
    def log_out(self, agent: UserAgent, url: str) -> Page:
        """Go to an end-session URL, and through all pages back to the app."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
