"""The Angular quickstart's page, with the unmodified auth0-angular: its build, and a server for it.

The browser tests use it, and the race of the benchmarks.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .. import node
from ..installing import CACHE, install_once, is_there, run

_SOURCE = Path(__file__).parent
_PACKAGES, _PAGE = "angular", "angular/page"  # Node.js finds packages in the folders above, too
_FILES = CACHE / _PAGE / "dist"


def install() -> Path:
    """Build the page, unless that has been done of these sources; return the folder of its files.

    Raises:
        InstallError: Node.js or Angular cannot be installed, or the build fails.
    """
    node.install_package()  # Angular wants a newer one than most machines have
    install_once(_PACKAGES, _digest("package-lock.json"), _install_packages)
    install_once(_PAGE, _digest(*_sources()), _build)
    return _FILES


def why_no_angular() -> str:
    """Why the page cannot be used here; empty when it can."""
    is_missing = not is_there(_PAGE, _digest(*_sources()))
    return (
        "the Angular page is not built: run python -m tests.interop.install" if is_missing else ""
    )


def site(settings: Mapping[str, Any] | None = None) -> Starlette:
    """Serve the page as a good web server does: gzip, and files with a hash kept for a year.

    `settings` are those of `main.ts`; without them, a test's script sets `window.settings`.
    """
    scripts = {
        path.name: gzip.compress(path.read_bytes())
        for path in _FILES.iterdir()
        if path.suffix in (".js", ".css")
    }
    # In the document itself, so that it costs no request.
    script = f"<script>window.settings = {json.dumps(settings)}</script>" if settings else ""
    index = (_FILES / "index.html").read_text()
    document = index.replace('<script src="/settings.js"></script>', script)

    async def answer(request: Request) -> Response:
        name = request.path_params["path"]
        if name in scripts:
            headers = {
                "Content-Encoding": "gzip",
                "Cache-Control": "public, max-age=31536000, immutable",
            }
            return Response(scripts[name], media_type="text/javascript", headers=headers)
        return Response(document, media_type="text/html", headers={"Cache-Control": "no-cache"})

    return Starlette(routes=[Route("/{path:path}", answer)])


def _sources() -> list[str]:
    """What the page is built of."""
    found = (path for path in _SOURCE.rglob("*") if path.suffix in (".json", ".html", ".ts"))
    return sorted(path.relative_to(_SOURCE).as_posix() for path in found)


def _digest(*names: str) -> str:
    contents = b"\0".join((_SOURCE / name).read_bytes() for name in names)
    return hashlib.sha256(contents).hexdigest()


def _install_packages(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(_SOURCE / name, folder)
    quiet = ["--no-audit", "--no-fund", "--loglevel", "error"]
    run([*node.PACKAGED_NPM, "ci", "--prefix", str(folder), *quiet])


def _build(folder: Path) -> None:
    for name in _sources():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(_SOURCE / name, target)
    program = CACHE / _PACKAGES / "node_modules" / "@angular" / "cli" / "bin" / "ng.js"
    run([node.PACKAGED_NODE, str(program), "build"], cwd=folder)
