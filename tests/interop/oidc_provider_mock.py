"""oidc-provider-mock, a small provider written in Python, as a process of its own."""

from __future__ import annotations

from pathlib import Path

import httpx

from ..servers import Server, answers, clean_environ, free_port
from .installing import CACHE, install_once, is_there, make_environment
from .provider_process import ClientURLs, ProviderProcess
from .user_agent import Page, UserAgent

_REQUIREMENT = "oidc-provider-mock==0.3.4"
_FOLDER = CACHE / "oidc_provider_mock"
USER = "user@example.com"


class OidcProviderMock(ProviderProcess):
    """Its only page takes any subject. With `is_open`, it takes any client and any secret, too;
    else the client is registered at the start (RFC 7591) and has what it is given then."""

    def __init__(
        self,
        directory: Path,
        urls: ClientURLs,
        *,
        is_open: bool = False,
        access_token_seconds: int = 3600,
    ) -> None:
        port = free_port()
        issuer = f"http://127.0.0.1:{port}"
        self._urls = urls
        self._is_open = is_open
        options = {
            "--port": str(port),
            "--host": "127.0.0.1",
            "--require-registration": str(not is_open).lower(),
            "--token-max-age": str(access_token_seconds),
        }
        super().__init__(issuer, _server(directory, issuer, options))

    def configure(self) -> None:
        """Register the client, where that is needed."""
        if self._is_open:
            return
        answer = httpx.post(
            f"{self.issuer}/oauth2/clients",
            json={"redirect_uris": [self._urls.redirect_uri]},
            trust_env=False,
        )
        client = answer.raise_for_status().json()
        self.client_id, self.client_secret = client["client_id"], client["client_secret"]

    def revoke_tokens(self) -> None:
        """All of the user's, as nobody could do at a real one."""
        url = f"{self.issuer}/users/{USER}/revoke-tokens"
        httpx.post(url, trust_env=False).raise_for_status()

    def log_in(self, agent: UserAgent, url: str) -> Page:
        """It asks each time, and for nothing but a name."""
        return agent.submit(agent.visit(url), sub=USER)

    def refuse(self, agent: UserAgent, url: str) -> Page:
        """Its page's other button."""
        return agent.submit(agent.visit(url), sub=USER, action="deny")

    def log_out(self, agent: UserAgent, url: str) -> Page:
        """Its page has one button."""
        return agent.submit(agent.visit(url))


def install() -> None:
    """Fetch the package into an environment of its own.

    Raises:
        InstallError: that was not possible.
    """
    name = _FOLDER.name
    install_once(name, _REQUIREMENT, lambda folder: make_environment(folder, _REQUIREMENT))


def why_not() -> str | None:
    """Why the provider cannot be started here; None when it can."""
    if not is_there(_FOLDER.name, _REQUIREMENT):
        return "the PyPI package oidc-provider-mock is not installed"
    return None


def is_available() -> bool:
    """Whether it can be started here."""
    return why_not() is None


def _server(directory: Path, issuer: str, options: dict[str, str]) -> Server:
    python = str(_FOLDER / "bin" / "python")
    words = [word for option in options.items() for word in option]
    return Server(
        [python, "-m", "oidc_provider_mock", *words],
        cwd=directory,
        environ=clean_environ(),
        log=directory / "oidc_provider_mock.log",
        ready=lambda: answers(f"{issuer}/.well-known/openid-configuration"),
        patience=30.0,
    )
