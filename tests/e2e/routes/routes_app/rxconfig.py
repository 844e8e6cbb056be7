"""Settings of the app with routes: its backend is on a port of its own."""

import os
import sys
from pathlib import Path

os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
os.environ.setdefault("REFLEX_USE_SYSTEM_BUN", "true")

import reflex as rx

config = rx.Config(
    app_name="routes_app",
    telemetry_enabled=False,
    backend_host="127.0.0.1",
    backend_port=int(os.environ["APP_API_URL"].rpartition(":")[2]),
    api_url=os.environ["APP_API_URL"],
    plugins=[],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
