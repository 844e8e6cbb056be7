"""The data file of a local tenant that has been started before, and so has its signing key."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from app.local_tenant.database import Database
from app.local_tenant.signing import Signer


def started_before(file: Path) -> Path:
    """Write the data of a tenant to `file`, and return it. Each would else make an RSA key of its
    own, which takes longer than most tests."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_data())
    file.chmod(0o600)
    return file


@functools.cache
def _data() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "tenant.sqlite3"
        Signer(Database(file))
        return file.read_bytes()
