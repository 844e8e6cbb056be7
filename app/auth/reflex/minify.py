"""Minifies a script with the bundler that Reflex builds the page with."""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path

logger = logging.getLogger(__name__)

_PATIENCE = 60.0  # seconds
# Standard input to standard output. A namespace import: an older Vite has no `minify`.
_PROGRAM = """
import * as vite from "vite";
import { readFileSync, writeSync } from "node:fs";
const { code, errors } = await vite.minify("script.js", readFileSync(0, "utf8"), {});
if (errors?.length || !code) throw new Error(JSON.stringify(errors));
writeSync(1, code);
"""


def minify(script: Path, *, packages: Path) -> None:
    """Replace the file `script` by a minified one. `packages` is a folder with `node_modules`.

    Where that does not work, the file stays as it is, which is larger and does the same; the log
    says why.
    """
    problem = "neither bun nor node was found"
    for runtime in filter(None, map(shutil.which, ("bun", "node"))):
        try:
            done = subprocess.run(  # noqa: S603
                [runtime, *_arguments(runtime)],
                cwd=packages,
                input=script.read_bytes(),
                capture_output=True,
                timeout=_PATIENCE,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            problem = error.stderr.decode(errors="replace").strip()[-500:]
            continue
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = str(error)
            continue
        script.write_bytes(done.stdout)
        return
    logger.warning("%s is not minified: %s", script.name, problem)


def _arguments(runtime: str) -> list[str]:
    # Bun would fetch a package that is missing, in whatever version there is.
    is_node = Path(runtime).stem == "node"
    return ["--input-type=module" if is_node else "--no-install", "-e", _PROGRAM]
