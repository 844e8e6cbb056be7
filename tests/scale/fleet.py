"""Two production backends on one Redis, behind one nginx: all real, all on loopback."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..e2e.stack import SECRET, Stack, Tenant, tenant_process
from ..redis_server import redis_server
from ..servers import BIN, ROOT, Server, answers, clean_environ, copy_project, free_port

ADDRESSES = re.compile(r"server 10\.0\.0\.\d+:8000")
MIME_TYPES = "/etc/nginx/mime.types"
TLS = re.compile(r"^ *ssl_certificate.*\n", re.MULTILINE)


@dataclass
class Fleet:
    """`url` is where a browser goes; the backends are reached through it alone."""

    url: str
    directory: Path
    tenant: Tenant
    redis: Server
    redis_url: str
    backends: tuple[Server, Server]
    ports: tuple[int, int]
    nginx: Server

    @property
    def stack(self) -> Stack:
        """For what walks through an app, whatever it is made of."""
        return Stack(self.url, self.url, self.directory, self.nginx, self.tenant)

    @property
    def servers(self) -> tuple[Server, ...]:
        """In the order in which they start."""
        return (self.tenant.server, self.redis, *self.backends, self.nginx)

    def websockets(self) -> list[str]:
        """The backend of each websocket that has ended, from nginx's log."""
        lines = (self.directory / "access.log").read_text().splitlines()
        return [line.split()[0] for line in lines if "/_event" in line]


def fleet(directory: Path) -> Fleet:
    """Nothing is started yet."""
    url = f"http://localhost:{free_port()}"
    tenant = tenant_process(directory, app_url=url)
    redis, redis_url = redis_server(directory, is_durable=True)
    ports = (free_port(), free_port())
    environ = clean_environ(
        APP_BASE_URL=url,
        APP_TRUSTED_PROXIES="1",
        AUTH0_DOMAIN=tenant.url,
        AUTH0_CLIENT_ID="local-app",
        AUTH0_CLIENT_SECRET="local-secret",
        AUTH0_SECRET=SECRET,
        REDIS_URL=redis_url,
        GRANIAN_WORKERS="1",
    )
    _build_page(directory / "page", environ)
    one, two = (_backend(directory / str(port), port, environ) for port in ports)
    nginx = _nginx(directory, url, ports)
    return Fleet(url, directory, tenant, redis, redis_url, (one, two), ports, nginx)


def _build_page(directory: Path, environ: Mapping[str, str]) -> None:
    """As docs/deploy.md says."""
    copy_project(directory)
    command = [str(BIN / "reflex"), "export", "--env", "prod", "--frontend-only", "--no-zip"]
    built = subprocess.run(
        command, cwd=directory, env=dict(environ), capture_output=True, text=True, timeout=240
    )
    assert built.returncode == 0, built.stdout + built.stderr


def _backend(directory: Path, port: int, environ: Mapping[str, str]) -> Server:
    directory.mkdir()
    return Server(
        [
            *(str(BIN / "reflex"), "run", "--env", "prod", "--backend-only"),
            *("--backend-port", str(port)),
        ],
        cwd=copy_project(directory / "project"),
        environ={**environ, "APP_DATA_DIR": str(directory / "data")},
        log=directory / "app.log",
        ready=lambda: answers(f"http://127.0.0.1:{port}/auth/health"),
        patience=240.0,
    )


def _nginx(directory: Path, url: str, ports: tuple[int, int]) -> Server:
    """With the configuration of the docs, its addresses and certificate aside."""
    site = TLS.sub("", (ROOT / "docs" / "nginx.conf").read_text())
    for port in ports:
        site = ADDRESSES.sub(f"server 127.0.0.1:{port}", site, count=1)
    site = site.replace("/srv/app/client", f"{directory}/page/.web/build/client")
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{url.rpartition(':')[2]}")
    site = site.replace("server_name app.example.com", "server_name localhost")
    return nginx(directory, site, ready=lambda: answers(f"{url}/auth/health"))


def nginx(directory: Path, site: str, *, ready: Callable[[], bool]) -> Server:
    """An nginx that serves `site`, the text of its `server` blocks."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    assert program, "no nginx: run `make scale-test`, which installs one"
    conf = directory / "nginx.conf"
    conf.write_text(
        f"""
        daemon off;
        user {getpass.getuser()};  # the page lies in a folder of ours
        pid {directory}/nginx.pid;
        error_log {directory}/nginx.log;
        events {{}}
        http {{
            include {MIME_TYPES};
            log_format backends '$upstream_addr $request_uri $status';
            access_log {directory}/access.log backends;
            client_body_temp_path {directory}/body;
            proxy_temp_path {directory}/proxy;
            fastcgi_temp_path {directory}/fastcgi;
            uwsgi_temp_path {directory}/uwsgi;
            scgi_temp_path {directory}/scgi;
            {site}
        }}
        """
    )
    return Server(
        [program, "-c", str(conf), "-e", str(directory / "nginx.log"), "-p", str(directory)],
        cwd=directory,
        environ=clean_environ(),
        log=directory / "nginx.out",
        ready=ready,
        patience=20.0,
    )
