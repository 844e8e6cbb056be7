"""Settings of the notes app."""

import os

import reflex as rx

port = int(os.environ["APP_BASE_URL"].rpartition(":")[2])

config = rx.Config(
    app_name="notes",
    telemetry_enabled=False,
    backend_host="127.0.0.1",
    frontend_port=port,
    backend_port=port,
    api_url=os.environ["APP_BASE_URL"],
    plugins=[],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
