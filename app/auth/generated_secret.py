"""A secret for development, generated once and kept, so that sessions outlive a restart."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def generated_secret(file: Path) -> str:
    """The secret in `file`, which is created with mode 0600 if it does not exist."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as stream:
        secret = secrets.token_hex(32)
        stream.write(secret)
    return secret
