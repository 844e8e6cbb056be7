"""Each rule of the interceptor is broken once: some test of it must notice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ....servers import ROOT

HERE = "tests/unit/auth/interceptor"
TESTS = (
    "test_attack_urls",
    "test_allowed_list",
    "test_url",
    "test_transport",
    "test_redirects",
    "test_exceptions",
)


@dataclass(frozen=True)
class Mutation:
    """`old` in the interceptor's `file`, where it stands once, becomes `new`."""

    file: str
    old: str
    new: str


ORIGIN = "return self.scheme, self.host, self.port"
NUMBER = 'if _NUMBER.fullmatch(host.rpartition(".")[2])'
MUTATIONS = {
    "scheme": Mutation("url.py", ORIGIN, 'return "", self.host, self.port'),
    "host": Mutation("url.py", ORIGIN, 'return self.scheme, "", self.port'),
    "port": Mutation("url.py", ORIGIN, "return self.scheme, self.host, 0"),
    "http only on loopback": Mutation(
        "url.py", 'return self.scheme == "https" or is_loopback(self.host)', "return True"
    ),
    "loopback is an address": Mutation(
        "url_checks.py",
        'return host.startswith("127.") and _is_ipv4(host)',
        'return host.startswith("127.")',
    ),
    "userinfo in text": Mutation("url_checks.py", 'if "@" in authority:', "if False:"),
    "userinfo in a parsed URL": Mutation("url.py", "if url.userinfo:", "if False:"),
    "backslash": Mutation("url_checks.py", 'if "\\\\" in text:', "if False:"),
    "control characters": Mutation("url_checks.py", "if _CONTROL.search(text):", "if False:"),
    "last dot segment": Mutation("url_checks.py", "if segments[-1] in _PLAIN_DOTS:", "if False:"),
    "dots that hide others": Mutation(
        "url_checks.py", "if not _PLAIN_DOTS.isdisjoint(segments):", "if False:"
    ),
    "port range": Mutation("url.py", "if not 0 < effective_port < 65536:", "if False:"),
    "disguised dots": Mutation("url_checks.py", "if has_dot_segment(path):", "if False:"),
    "backslash in a path": Mutation("url_checks.py", 'if "\\\\" in path:', "if False:"),
    "control character in a path": Mutation(
        "url_checks.py", "if _CONTROL.search(path):", "if False:"
    ),
    "path parameters": Mutation(
        "url_checks.py", '_END_OF_NAME = re.compile(r"[;?#]")', '_END_OF_NAME = re.compile(r"[?#]")'
    ),
    "many encodings": Mutation("url_checks.py", "_MOST_ENCODINGS = 8", "_MOST_ENCODINGS = 1"),
    "wide characters": Mutation(
        "url_checks.py",
        'unicodedata.normalize("NFKC", unquote(path, errors="strict"))',
        'unquote(path, errors="strict")',
    ),
    "odd host names": Mutation("url_checks.py", "if not _NAME.fullmatch(host):", "if False:"),
    "odd IPv4 notations": Mutation("url_checks.py", NUMBER, "if False"),
    "segment boundary": Mutation(
        "matching.py", "if rules and _is_boundary(path, length):", "if rules:"
    ),
    "exact is exact": Mutation(
        "validation.py", 'wildcard=uri.endswith("*")', "wildcard=True"
    ),
    "first entry wins": Mutation(
        "matching.py", "rule.order < best.order", "rule.order > best.order"
    ),
    "methods": Mutation(
        "matching.py", "return self.methods is None or method in self.methods", "return True"
    ),
    "TRACE and CONNECT": Mutation(
        "matching.py", "return None if upper in METHODS_WITHOUT_TOKEN else upper", "return upper"
    ),
    "another recipient": Mutation(
        "decision.py", "if has_host_override(request, hop):", "if False:"
    ),
    "exceptions": Mutation("decision.py", "if not route.attach:", "if False:"),
    "own Authorization": Mutation("decision.py", "if hop.own_authorization:", "if False:"),
    "credentials on another origin": Mutation(
        "redirects.py", "if hop.leaves_origin or", "if False or"
    ),
    "credentials off the list": Mutation(
        "redirects.py", "(hop.follows and not allowed)", "False"
    ),
    "token in the caller's request": Mutation(
        "transport.py", "response.request = exchange.request", "pass"
    ),
    "token in an error's request": Mutation(
        "transport.py", "error.request = exchange.request", "pass"
    ),
    "base_url": Mutation("url.py", 'url.raw_path.lstrip(b"/"))', 'b"")'),
}  # fmt: skip


def project(directory: Path, mutation: Mutation | None) -> Path:
    """A copy of the auth layer and its tests, with the rule broken."""
    shutil.copytree(ROOT / "app" / "auth", directory / "app" / "auth")
    shutil.copytree(ROOT / HERE, directory / HERE)
    for name in ("app/__init__.py", "pyproject.toml", "tests/__init__.py", "tests/servers.py"):
        shutil.copy2(ROOT / name, directory / name)
    for folder in ("tests/unit", "tests/unit/auth"):
        shutil.copy2(ROOT / folder / "__init__.py", directory / folder)
    if mutation is not None:
        file = directory / "app/auth/interceptor" / mutation.file
        source = file.read_text()
        assert source.count(mutation.old) == 1, f"{mutation.old!r} in {mutation.file}"
        file.write_text(source.replace(mutation.old, mutation.new))
    return directory


def run_tests(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the interceptor's tests there until the first that fails."""
    files = [f"{HERE}/{name}.py" for name in TESTS]
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_copy_passes(tmp_path: Path) -> None:
    """With every rule in its place the copy's tests pass, so that a failure means something."""
    result = run_tests(project(tmp_path, None))
    assert result.returncode == 0, result.stdout[-2000:]


@pytest.mark.parametrize("name", MUTATIONS)
def test_broken_rule_is_noticed(tmp_path: Path, name: str) -> None:
    """Breaking this one rule makes a test fail."""
    result = run_tests(project(tmp_path, MUTATIONS[name]))
    assert result.returncode == 1, result.stdout[-2000:]
    assert " failed" in result.stdout
