"""`python -m reflex_oidc surface`: who may reach which page, event handler and variable."""

from __future__ import annotations

import argparse
import importlib
import sys


def main() -> int:
    """Print the report of the Reflex app in this folder."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("report", choices=["surface"])
    parser.parse_args()
    from reflex.config import get_config

    from .reflex.access_report import table
    from .service import AuthService

    module = importlib.import_module(get_config().module)
    services = [value for value in vars(module).values() if isinstance(value, AuthService)]
    if not services:
        sys.stderr.write(f"{module.__name__} has no AuthService among its names.\n")
        return 1
    sys.stdout.write(table(services[0].surface()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
