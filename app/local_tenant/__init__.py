"""DEVELOPMENT ONLY: an OpenID provider with a Management API that stands in for a tenant.

Runs alone (`python -m app.local_tenant`), on a loopback address, and shares no code with the auth
layer, so that one bug cannot cancel itself out in a test.
"""

from .asgi import create_tenant
from .settings import TenantRefused, TenantSettings, refuse_production

__all__ = ["TenantRefused", "TenantSettings", "create_tenant", "refuse_production"]
