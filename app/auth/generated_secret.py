"""A secret for development, generated once and kept, so that sessions outlive a restart."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from .environ import MINIMUM_SECRET_LENGTH
from .errors import ConfigError


def generated_secret(file: Path) -> str:
    """The secret in `file`, which is created with mode 0600 if it does not exist.

    Raises:
        ConfigError: the file has something else in it.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        # Written under another name first: no process finds the file empty.
        draft = file.with_name(f"{file.name}-{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(secrets.token_hex(32))
        with suppress(FileExistsError):  # another process was faster
            os.link(draft, file)
        draft.unlink()
    secret = file.read_text().strip()
    if len(secret) < MINIMUM_SECRET_LENGTH:
        raise ConfigError(f"The secret in {file} is too short. Remove the file; a new one is made.")
    return secret
