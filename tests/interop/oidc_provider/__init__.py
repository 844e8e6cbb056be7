"""node-oidc-provider, a certified provider, as a process of its own."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...servers import Server, answers, clean_environ, free_port
from .. import node
from ..installing import CACHE, install_once, is_there, run
from ..provider_process import ClientURLs, ProviderProcess
from ..user_agent import Page, UserAgent

KEY_CLIENT_ID = "interop-key-app"
PUBLIC_CLIENT_ID = "interop-public-app"  # its access tokens have to be bound by DPoP
USER = "ada"

_HERE = Path(__file__).parent
_FOLDER = CACHE / "oidc_provider"


@dataclass(frozen=True, slots=True)
class Switches:
    """How the provider is to behave.

    With `is_audience_honoured`, the authorization parameter `audience` leads to a JWT for that
    audience, which UserInfo refuses; without, the parameter is accepted and changes nothing.
    `key_client_jwks` is the public key set of a second client, which authenticates by
    `private_key_jwt`. With `ends_in_slash`, so does the issuer, as at Auth0. With
    `is_dpop_nonce_required`, a DPoP proof needs a nonce.
    """

    is_par_required: bool = False
    ends_in_slash: bool = False
    is_audience_honoured: bool = False
    access_token_seconds: int = 3600
    api_scope: str = "read:messages"
    key_client_jwks: dict[str, Any] | None = field(default=None)
    is_dpop_nonce_required: bool = False


class OidcProvider(ProviderProcess):
    """Its login page takes any name and password; its consent page, one click."""

    def __init__(self, directory: Path, urls: ClientURLs, switches: Switches | None = None) -> None:
        switches = switches or Switches()
        port = free_port()
        issuer = f"http://127.0.0.1:{port}{'/' if switches.ends_in_slash else ''}"
        settings = {
            **asdict(urls),
            **asdict(switches),
            "issuer": issuer,
            "port": port,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "key_client_id": KEY_CLIENT_ID,
            "public_client_id": PUBLIC_CLIENT_ID,
        }
        super().__init__(issuer, _server(directory, issuer, json.dumps(settings)))

    def configure(self) -> None:
        """Nothing: its argument says it all."""

    def log_in(self, agent: UserAgent, url: str) -> Page:
        """Each page may be missing: who has signed in, or consented, is not asked again."""
        page = self._identified(agent, agent.visit(url))
        return agent.submit(page) if page.html else page

    def refuse(self, agent: UserAgent, url: str) -> Page:
        """The consent page's other way out."""
        page = self._identified(agent, agent.visit(url))
        return agent.visit(f"{page.url}/abort")

    def _identified(self, agent: UserAgent, page: Page) -> Page:
        if "login" not in page.fields():
            return page
        agent.times_asked += 1
        return agent.submit(page, login=USER, password="any")

    def log_out(self, agent: UserAgent, url: str) -> Page:
        """`logout` is the button that says yes."""
        return agent.submit(agent.visit(url), logout="yes")


def install() -> None:
    """Fetch the package that `package.json` pins, and a Node.js if need be.

    Raises:
        InstallError: that was not possible.
    """
    node.install()
    install_once("oidc_provider", _requirement(), _install_package)


def why_not() -> str | None:
    """Why the provider cannot be started here; None when it can."""
    if node.node() is None:
        return "no Node.js that is new enough"
    if not is_there("oidc_provider", _requirement()):
        return "the npm package oidc-provider is not installed"
    return None


def is_available() -> bool:
    """Whether it can be started here."""
    return why_not() is None


def _requirement() -> str:
    return (_HERE / "package.json").read_text()


def _install_package(folder: Path) -> None:
    shutil.copy2(_HERE / "package.json", folder)
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error"]
    run([*node.npm(), "install", "--prefix", str(folder), *quiet])


def _server(directory: Path, issuer: str, settings: str) -> Server:
    # Node looks for packages beside the program.
    program = shutil.copy2(_HERE / "provider.mjs", _FOLDER)
    return Server(
        [node.node() or "node", str(program), settings],
        cwd=directory,
        environ=clean_environ(),
        log=directory / "oidc_provider.log",
        ready=lambda: answers(f"{issuer.rstrip('/')}/.well-known/openid-configuration"),
        patience=30.0,
    )
