"""`python -m reflex_oidc`: what the Reflex app in this folder exposes, and which requests of it
carry an access token."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .service import AuthService

NO_TOKEN = 1
NO_SERVICE = 2  # as argparse's for wrong arguments: nothing was decided


def main() -> int:
    """Run a command. The exit status of `explain` is 0 for a request that carries a token, 1 for
    one that does not, and 2 if there is no answer."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("surface", help="list who may reach what, and which requests carry a token")
    explain = commands.add_parser("explain", help="say whether a request carries a token, and why")
    explain.add_argument("method", help="GET, for example")
    explain.add_argument("url", help="an absolute URL, or a /path relative to base_url")
    arguments = parser.parse_args()
    service = _service()
    if service is None:
        return NO_SERVICE
    if arguments.command == "explain":
        return _explain(service, arguments.method, arguments.url)
    from .reflex.access_report import table

    sys.stdout.write(table(service.surface()))
    return 0


def _service() -> AuthService | None:
    from reflex.config import get_config

    from .service import AuthService

    module = importlib.import_module(get_config().module)
    services = [value for value in vars(module).values() if isinstance(value, AuthService)]
    if not services:
        sys.stderr.write(
            f"{module.__name__} has no AuthService among its names: import yours there.\n"
        )
        return None
    return services[0]


def _explain(service: AuthService, method: str, url: str) -> int:
    explanation = service.allowed_list.explain(method, url)
    heading = "with a token" if explanation.attach else "no token"
    lines = [f"{heading} ({explanation.reason})", explanation.text]
    route = explanation.entry
    if explanation.attach and route is not None:
        options = route.token_options
        lines.append(f"audience: {(options and options.audience) or 'the default'}")
        lines.append(f"scope: {(options and options.scope) or 'the default'}")
        if route.allow_anonymous:
            lines.append("Without a session, it is sent without a token (allow_anonymous).")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if explanation.attach else NO_TOKEN


if __name__ == "__main__":
    sys.exit(main())
