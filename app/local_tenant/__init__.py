"""DEVELOPMENT ONLY: an OpenID provider with a Management API that stands in for a tenant.

It runs as a process of its own (`python -m app.local_tenant`), on a loopback address. It shares no
code with the auth layer, so that a bug cannot be on both sides of a test and go unnoticed.
"""

from .asgi import create_tenant
from .settings import TenantRefused, TenantSettings, refuse_production

__all__ = ["TenantRefused", "TenantSettings", "create_tenant", "refuse_production"]
