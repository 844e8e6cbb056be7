"""The Reflex plugin: installs the layer, and brings the default pages, their style and script."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import reflex as rx
from reflex.config import get_config

from ..errors import ConfigError
from ..urls import is_loopback, origin_of
from .minify import minify
from .pages import AuthPages, Views

_PARTS = ("reflex-oidc.js", "kept-forms.js", "drafts.js")
STYLESHEET = "reflex-oidc.css"


class Service(Protocol):
    """What the plugin needs of an `AuthService`."""

    views: Views

    @property
    def error_path(self) -> str: ...

    @property
    def login_path(self) -> str | None: ...

    def install(self, app: rx.App, *, pages: AuthPages | None = None) -> None: ...


class Plugin(rx.plugins.Plugin):
    """For `rx.Config(plugins=[Plugin()])`, in place of `auth.install(app)` or beside it.

    It installs the `AuthService` that the app's module has among its names, unless that has been
    done, and adds the page for login problems and, for several providers, the login page, unless
    the app has pages of its own there. `pages` replaces the default pages.

    Raises:
        ConfigError: at compile time, if the app's module has no `AuthService` among its names.
    """

    def __init__(self, *, pages: AuthPages | None = None) -> None:
        self._pages = pages
        self._service: Service | None = None

    def bind(self, service: Service) -> None:
        """Serve this `AuthService`, which is installed."""
        self._service = service

    def register_route(self, **context: Any) -> None:
        """Install the layer if it is not yet, and add the default pages."""
        service = self._service or self._install()
        texts, views = service.views.texts, service.views
        pages = [(views.error_page, service.error_path, "login_problem")]
        if service.login_path is not None:
            pages.append((views.login_page, service.login_path, "login_page"))
        for page, path, title in pages:
            if not context["has_app_page"](path):
                context["add_page"](page, route=path, title=texts.text(title, texts.default))

    def get_stylesheet_paths(self, **context: Any) -> Sequence[str]:
        """The stylesheet of the default pages, before those of the app."""
        return [f"./{STYLESHEET}"]

    def get_static_assets(self, **context: Any) -> Sequence[tuple[Path, str | bytes]]:
        """The stylesheet and the script."""
        folder = Path(__file__).parent
        return [
            (Path("styles") / STYLESHEET, (folder / STYLESHEET).read_text()),
            (Path("public") / _script_path(), _script()),
        ]

    def post_build(self, **context: Any) -> None:
        """Minify the script in a production build, before Reflex compresses it."""
        static_dir: Path = context["static_dir"]
        minify(static_dir / _script_path(), packages=static_dir.parents[1])

    def _install(self) -> Service:
        name = get_config().module
        module = sys.modules[name]
        services = [each for each in vars(module).values() if _is_service(each)]
        if not services:
            raise ConfigError(
                f"Plugin: {name} has no AuthService among its names. Create or import it there."
            )
        service: Service = services[0]
        service.install(module.app, pages=self._pages)
        return service


def bind_plugin(service: Service) -> None:
    """Let the plugin in `rx.Config` serve this `AuthService`; add one if there is none."""
    plugins = get_config().plugins
    plugin = next((each for each in plugins if isinstance(each, Plugin)), None)
    if plugin is None:
        plugin = Plugin()
        plugins.append(plugin)
    plugin.bind(service)


def script(base_urls: Sequence[str]) -> rx.Component:
    """The element that loads the script, for the head of every page. On this machine, it names the
    app's origin, if that is one: a page that is opened by another name of the machine goes there.
    """
    app_base_url, *others = base_urls
    is_local = not others and is_loopback(urlsplit(app_base_url).hostname)
    return rx.el.script(
        src=get_config().prepend_frontend_path(f"/{_script_path()}"),
        custom_attrs={"data-origin": origin_of(app_base_url)} if is_local else {},
    )


def _script() -> str:
    """The parts as they are sent: without indentation and the lines that are comments."""
    folder = Path(__file__).parent
    lines = [line.strip() for part in _PARTS for line in (folder / part).read_text().splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _script_path() -> str:
    """The script's path below the page. It blocks rendering, so browsers keep it: its name has a
    hash, as the names of the bundler's files in the same folder have."""
    return f"assets/reflex-oidc-{sha256(_script().encode()).hexdigest()[:8]}.js"


def _is_service(value: Any) -> bool:
    return isinstance(getattr(value, "views", None), Views)
