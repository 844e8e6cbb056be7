"""The file to edit: which API, which scopes, and which requests carry an access token."""

from __future__ import annotations

import os
from pathlib import Path

from app.auth import (
    AllowedRoute,
    AuditHook,
    AuthConfig,
    AuthorizationParams,
    HttpInterceptorConfig,
    JsonLinesAuditLog,
    Limits,
    OpenTelemetryAuditLog,
    TokenOptions,
    local_tenant_environ,
)

# `reflex run` serves the page on 3000 and the backend on 8000; in production both are one origin.
IS_PRODUCTION = os.environ.get("REFLEX_ENV_MODE") in ("prod", "preview")
DEVELOPMENT = {} if IS_PRODUCTION else {"APP_API_URL": "http://localhost:8000"}

# The panel of outgoing requests: in development, and in production if it is asked for.
INSPECT_REQUESTS = not IS_PRODUCTION or os.environ.get("APP_REQUEST_INSPECTOR") == "1"

# Limits for each client, and where the audit log goes: docs/operations.md.
LIMITS = Limits.parse(os.environ.get("APP_LIMITS", ""))
audit_hooks: list[AuditHook] = []
if _audit_log := os.environ.get("APP_AUDIT_LOG"):
    audit_hooks.append(JsonLinesAuditLog(Path(_audit_log)))
if os.environ.get("APP_AUDIT_OPENTELEMETRY") == "1":
    audit_hooks.append(OpenTelemetryAuditLog())

# Where users log in: AUTH0_DOMAIN, AUTH0_CLIENT_ID, ... (see .env.example), or the local tenant.
config = AuthConfig.from_environ(
    {**DEVELOPMENT, **os.environ},
    authorization_params=AuthorizationParams(
        audience="{domain}/api/v2/",
        scope=(
            "openid profile email offline_access read:current_user update:current_user_metadata"
        ),
        # What a login link may ask for in addition: the external API's permission.
        optional_scope="read:messages",
    ),
    fallback=local_tenant_environ(os.environ),
)
IS_LOCAL_TENANT = config.is_fallback

# Your own API, which has an audience of its own. In development it is `app/external_api`.
EXTERNAL_API_URL = os.environ.get("EXTERNAL_API_URL", "http://127.0.0.1:4401").rstrip("/")
HAS_EXTERNAL_API = not IS_PRODUCTION or "EXTERNAL_API_URL" in os.environ
EXTERNAL_API_AUDIENCE = os.environ.get("EXTERNAL_API_AUDIENCE", f"{EXTERNAL_API_URL}/api/")

# The allowed list: these requests carry an access token, and no others do.
http_interceptor = HttpInterceptorConfig(
    allowed_list=[
        AllowedRoute(
            f"{config.domain}/api/v2/users/*",
            http_method="GET",
            token_options=TokenOptions(
                audience=config.authorization_params.audience,
                scope="read:current_user",
            ),
        ),
        AllowedRoute(
            f"{config.domain}/api/v2/users/*",
            http_method="PATCH",
            token_options=TokenOptions(
                audience=config.authorization_params.audience,
                scope="update:current_user_metadata",
            ),
        ),
        AllowedRoute(
            f"{EXTERNAL_API_URL}/api/external",
            http_method="GET",
            token_options=TokenOptions(audience=EXTERNAL_API_AUDIENCE),
        ),
        AllowedRoute(
            f"{EXTERNAL_API_URL}/api/public",
            http_method="GET",
            token_options=TokenOptions(audience=EXTERNAL_API_AUDIENCE),
            allow_anonymous=True,
        ),
    ],
)
