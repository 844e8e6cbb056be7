"""`scripts/check_private_names.py` on small projects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEAM = "app/auth/reflex/reflex_seam.py"

REFUSED = {
    "attribute": "import lib\n\n\ndef f(x):\n    return x._y\n",
    "assignment": "def f(x):\n    x._y = 1\n",
    "deletion": "def f(x):\n    del x._y\n",
    "of a base class": "class A(lib.A):\n    def f(self):\n        return self._y\n",
    "super": "import lib\n\n\nclass A(lib.A):\n    def f(self):\n        return super()._y()\n",
    "import of a name": "from lib import _y\n",
    "import of a module": "import lib._y\n",
    "import from a module": "from lib._y.z import name\n",
    "getattr": "def f(x):\n    return getattr(x, '_y', None)\n",
    "setattr": "def f(x):\n    setattr(x, '_y', 1)\n",
    "delattr": "def f(x):\n    delattr(x, '_y')\n",
    "attrgetter": "import operator\n\nf = operator.attrgetter('_y')\n",
    "__dict__": "def f(x):\n    return x.__dict__['_y']\n",
    "__dict__.get": "def f(x):\n    return x.__dict__.get('_y')\n",
    "vars": "def f(x):\n    vars(x)['_y'] = 1\n",
    "argument": "import lib\n\nlib.State(_y=True)\n",
    "local variable of that name": "def f(x):\n    _y = x._y\n    return _y\n",
    "method of a live object": "def f(x):\n    x.m = f  # type: ignore[method-assign]\n",
}
ALLOWED = {
    "dunder": "def f(x):\n    return x.__class__.__name__\n",
    "enum": "def f(x):\n    return x._missing_\n",
    "named tuple": "def f(x):\n    return x._replace(a=1)._asdict()\n",
    "attribute of its own": "class A:\n    def __init__(self):\n        self._y = 1\n\n\nA()._y\n",
    "method of its own": "class A:\n    def _y(self):\n        pass\n\n\nA()._y()\n",
    "field": "class A:\n    _y: int = 1\n\n\nA._y\n",
    "slot": "class A:\n    __slots__ = ('_y',)\n\n\nA()._y\n",
    "variable of the module": "import sys\n\n_y = 1\ngetattr(sys.modules[__name__], '_y')\n",
    "argument of its own": "def f(_y):\n    pass\n\n\nf(_y=1)\n",
    "other comment": "x = 1  # type: ignore[assignment]\n",
    "string": "x = '_y'\nprint('_y')\n",
}


def check(root: Path, **files: str) -> subprocess.CompletedProcess[str]:
    """Run it on a project with these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    script = ROOT / "scripts" / "check_private_names.py"
    return subprocess.run([sys.executable, script, root], capture_output=True, text=True)


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(tmp_path: Path, kind: str) -> None:
    """A private name of another package is refused with file, line, name and what to do."""
    result = check(tmp_path, **{"app/m.py": REFUSED[kind]})
    assert result.returncode == 1, result.stderr
    (line,) = result.stdout.splitlines()
    assert line.startswith("app/m.py:")
    assert "'_y'" in line or "'method-assign'" in line
    assert "Use a public way" in line
    assert SEAM in line


@pytest.mark.parametrize("kind", ALLOWED)
def test_allowed(tmp_path: Path, kind: str) -> None:
    """What the file defines, and what Python documents, is no private name of another package."""
    result = check(tmp_path, **{"app/m.py": ALLOWED[kind]})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("kind", REFUSED)
def test_seam(tmp_path: Path, kind: str) -> None:
    """The seam may use such names, and so may what is not in `app/`."""
    result = check(tmp_path, **{SEAM: REFUSED[kind], "tests/m.py": REFUSED[kind]})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_line(tmp_path: Path) -> None:
    """The line is the one of the name."""
    result = check(tmp_path, **{"app/m.py": REFUSED["attribute"]})
    assert result.stdout.startswith("app/m.py:5: '_y'")


@pytest.mark.parametrize(
    ("statement", "is_allowed"),
    [
        ("from .a import A", True),
        ("from . import a", True),
        ("from app.p.a import A", True),
        ("import app.p.a", True),
        ("from ..p import A", True),
        ("import b", False),
    ],
)
def test_another_file(tmp_path: Path, statement: str, is_allowed: bool) -> None:
    """A name that another file of the project defines is allowed where that file is imported."""
    result = check(
        tmp_path,
        **{
            "app/p/__init__.py": "",
            "app/p/a.py": "class A:\n    _y = 1\n",
            "app/p/m.py": f"{statement}\n\n\ndef f(x):\n    return x._y\n",
        },
    )
    assert (result.returncode == 0) == is_allowed, result.stdout


def test_interceptor() -> None:
    """The interceptor needs no private name of httpx or httpcore."""
    script = ROOT / "scripts" / "check_private_names.py"
    result = subprocess.run([sys.executable, script, ROOT], capture_output=True, text=True)
    assert not result.stderr
    assert "app/auth/interceptor/" not in result.stdout
