"""Settings of an app of the tests: of the package that has the auth layer in it (`servers.py`)."""

import os
import sys
from pathlib import Path

os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
os.environ.setdefault("REFLEX_USE_SYSTEM_BUN", "true")
os.environ.setdefault("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org")

import reflex as rx

(layer,) = Path(__file__).parent.glob("*/auth")
port = int((os.environ.get("APP_BASE_URL") or os.environ["APP_BASE_URLS"]).rpartition(":")[2])

config = rx.Config(
    app_name=layer.parent.name,
    telemetry_enabled=False,
    backend_host="127.0.0.1",
    backend_port=port,
    api_url=f"http://localhost:{port}",
    plugins=[],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
