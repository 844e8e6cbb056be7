"""The composition root: the pages, and the auth layer installed around them."""

from __future__ import annotations

import reflex as rx

from app.auth_service import auth

from .components.layout import connection_lost, head_script
from .config import HAS_EXTERNAL_API, IS_PRODUCTION
from .pages.account import account
from .pages.error import error
from .pages.external import external
from .pages.home import home
from .pages.not_found import not_found
from .pages.profile import profile
from .pages.styleguide import styleguide, view

app = rx.App(
    stylesheets=["/app.css"],
    html_lang="en",
    # The key is that of Reflex's overlay, whose icon and toast would say the same once more.
    extra_app_wraps={(5, "Overlay"): connection_lost},
    head_components=[
        head_script(),
        rx.el.link(rel="icon", href=rx.asset("favicon.svg"), type="image/svg+xml"),
    ],
)
app.add_page(home, route="/", title="Call an API")
app.add_page(profile, route="/profile", title="Profile · Call an API")
app.add_page(account, route="/account", title="Account · Call an API")
if HAS_EXTERNAL_API:
    app.add_page(external, route="/external", title="External API · Call an API")
if not IS_PRODUCTION:
    app.add_page(styleguide, route="/styleguide", title="Styleguide · Call an API")
    app.add_page(view, route="/styleguide/[view]", title="Styleguide · Call an API")
app.add_page(error, route=auth.error_path, title="Login problem · Call an API")
app.add_page(not_found, route="404", title="Not found · Call an API")

auth.install(app)

if not IS_PRODUCTION:
    from .development_processes import development_processes

    app.register_lifespan_task(development_processes)
