"""Apache with Debian's mod_auth_openidc, a relying party that owes Auth0 nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import httpx

from ...servers import ROOT, Server, clean_environ
from ..installing import run

MODULES = Path("/usr/lib/apache2/modules")
NEEDED = (
    *("mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "headers"),
    "auth_openidc",
)


def program() -> str | None:
    """Apache, wherever Debian puts it."""
    return shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def install() -> None:
    """Have Debian's package installed, without its service being started.

    Raises:
        InstallError: that was not possible.
    """
    if why_not():
        script = ROOT / "scripts" / "ensure_test_programs.sh"
        run(["sh", str(script), "-", "libapache2-mod-auth-openidc"])


def why_not() -> str:
    """Why it cannot be started here; empty when it can."""
    is_there = program() and all((MODULES / f"mod_{name}.so").exists() for name in NEEDED)
    return "" if is_there else "Debian's libapache2-mod-auth-openidc is not installed"


def apache(directory: Path, *, port: int, issuer: str, authority: Path) -> Server:
    """Apache on a port of this machine: a page for users of the tenant, not started yet. Its
    processes have another user, who can read `directory`."""
    site = directory / "site"
    site.mkdir()
    (site / "index.html").write_text("for users")
    directory.chmod(0o755)
    public = directory / "authority.pem"
    shutil.copy(authority, public)
    public.chmod(0o644)
    configuration = directory / "apache.conf"
    loaded = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in NEEDED)
    configuration.write_text(f"""
ServerName localhost
ServerRoot {directory}
PidFile {directory}/apache.pid
ErrorLog {directory}/error.log
Listen 127.0.0.1:{port}
{loaded}
{_user()}
TypesConfig /etc/mime.types
DocumentRoot {site}
OIDCProviderMetadataURL {issuer}.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret secret-of-apache
OIDCRedirectURI http://localhost:{port}/callback
OIDCCryptoPassphrase a-passphrase-of-this-test
OIDCScope "openid profile email"
OIDCRemoteUserClaim email
OIDCCABundlePath {public}
OIDCPKCEMethod S256
<Location />
  AuthType openid-connect
  Require valid-user
  Header set X-User "expr=%{{REMOTE_USER}}"
</Location>
""")
    return Server(
        [program() or "apache2", "-f", str(configuration), "-DFOREGROUND"],
        cwd=directory,
        environ=clean_environ(),
        log=directory / "apache.log",
        ready=lambda: _redirects(port),
        patience=20.0,
    )


def _user() -> str:
    return "User www-data\nGroup www-data" if os.getuid() == 0 else ""


def _redirects(port: int) -> bool:
    try:
        answer = httpx.get(f"http://localhost:{port}/", trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.has_redirect_location
