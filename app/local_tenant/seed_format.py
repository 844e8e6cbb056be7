"""The form of users, roles, applications, APIs and organizations, as schemas.

The seed file and the Management API have the same names, which are Auth0's.
"""

from __future__ import annotations

from typing import Any

from .schema import Schema


def text(longest: int = 300, shortest: int = 1, **further: Any) -> Schema:
    """A text of this length, in characters."""
    return {"type": "string", "minLength": shortest, "maxLength": longest, **further}


def record(properties: Schema, *required: str) -> Schema:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def array(items: Schema, longest: int = 100) -> Schema:
    """An array of such items."""
    return {"type": "array", "items": items, "maxItems": longest}


METADATA: Schema = {"type": "object"}
BOOLEAN: Schema = {"type": "boolean"}
EMAIL: Schema = {"type": "string", "format": "email", "maxLength": 320}
USER_ID: Schema = text(255, pattern=r"[^\x00-\x1f\x7f/?#%\s]+\|[^\x00-\x1f\x7f/?#%\s]+")
NAME: Schema = text(pattern=r"[^\x00-\x1f\x7f<>]+")
SCOPE: Schema = text(280, pattern=r"[\x21\x23-\x5b\x5d-\x7e]+")
AUDIENCE: Schema = text(600, pattern=r"[\x21-\x7e]+")
URLS: Schema = array({"type": "string", "format": "uri", "maxLength": 1000})
SECONDS: Schema = {"type": "integer", "minimum": 1, "maximum": 31_557_600}

PROFILE: dict[str, Schema] = {
    "name": NAME,
    "given_name": text(150),
    "family_name": text(150),
    "nickname": text(300),
    "username": text(128),
    "picture": {"type": "string", "format": "uri", "maxLength": 2000},
    "phone_number": text(30),
}
USER: dict[str, Schema] = {
    "email": EMAIL,
    "email_verified": BOOLEAN,
    "blocked": BOOLEAN,
    "user_metadata": METADATA,
    "app_metadata": METADATA,
    **PROFILE,
}
APPLICATION: dict[str, Schema] = {
    "name": text(pattern=r"[^<>\x00-\x1f\x7f]+"),
    "description": text(140, 0),
    "app_type": {
        "type": "string",
        "enum": ["spa", "regular_web", "native", "non_interactive", "resource_server"],
    },
    "client_secret": text(256, 8, pattern=r"[\x21-\x7e]+"),
    "callbacks": URLS,
    "allowed_logout_urls": URLS,
    "web_origins": URLS,
    "allowed_origins": URLS,
    "oidc_logout": record({"backchannel_logout_urls": URLS}),
    "initiate_login_uri": {"type": "string", "format": "uri", "maxLength": 1000},
    "resource_server_identifier": AUDIENCE,
    "grant_types": array(text(100), 20),
    "token_endpoint_auth_method": {
        "type": "string",
        "enum": [
            *("none", "client_secret_post", "client_secret_basic"),
            *("client_secret_jwt", "private_key_jwt"),
        ],
    },
    "jwks": METADATA,
    "jwt_configuration": record({"lifetime_in_seconds": SECONDS, "alg": text(10)}),
    "refresh_token": record(
        {
            "rotation_type": {"type": "string", "enum": ["rotating", "non-rotating"]},
            "expiration_type": {"type": "string", "enum": ["expiring", "non-expiring"]},
            "leeway": {"type": "integer", "minimum": 0, "maximum": 31_557_600},
            "token_lifetime": SECONDS,
        }
    ),
    "organization_usage": {"type": "string", "enum": ["deny", "allow", "require"]},
    "client_metadata": METADATA,
}
API: dict[str, Schema] = {
    "name": text(200, pattern=r"[^<>\x00-\x1f\x7f]+"),
    "scopes": array(record({"value": SCOPE, "description": text(500, 0)}, "value"), 1000),
    "token_lifetime": {"type": "integer", "minimum": 1, "maximum": 2_592_000},
    "enforce_policies": BOOLEAN,
    "allow_offline_access": BOOLEAN,
    "token_dialect": {
        "type": "string",
        "enum": [
            *("access_token", "access_token_authz"),
            *("rfc9068_profile", "rfc9068_profile_authz"),
        ],
    },
}
ROLE: dict[str, Schema] = {"name": text(50), "description": text(255, 0)}
ORGANIZATION: dict[str, Schema] = {
    "name": text(50, pattern=r"(?!org_)[A-Za-z0-9][A-Za-z0-9_-]*"),  # not like an id
    "display_name": text(255),
    "metadata": METADATA,
}
CONNECTED_ACCOUNT: Schema = record(
    {
        "connection": text(128, pattern=r"[A-Za-z0-9-]+"),
        "id": text(255),
        "access_token": text(4000, pattern=r"[A-Za-z0-9._~+/-]+=*"),
        "scopes": array(SCOPE),
        "expires_in": SECONDS,
    },
    "connection",
)
_PERMISSIONS = array(record({"audience": AUDIENCE, "scope": SCOPE}, "audience", "scope"), 1000)

SEED: Schema = record(
    {
        "users": array(
            record(
                {
                    **USER,
                    "user_id": USER_ID,
                    "password": text(72),
                    "mfa_required": BOOLEAN,
                    "totp_secret": text(64, 16, pattern="[A-Z2-7]+"),
                    "roles": array(text(50)),
                    "permissions": _PERMISSIONS,
                    "connected_accounts": array(CONNECTED_ACCOUNT),
                },
                "email",
            ),
            10_000,
        ),
        "roles": array(
            record({**ROLE, "id": text(100), "permissions": _PERMISSIONS}, "name"), 1000
        ),
        "applications": array(
            record({**APPLICATION, "client_id": text(64, pattern="[A-Za-z0-9_-]+")}, "client_id"),
            1000,
        ),
        "apis": array(record({**API, "identifier": AUDIENCE}, "identifier"), 1000),
        "organizations": array(
            record(
                {
                    **ORGANIZATION,
                    "id": text(50, pattern="org_[A-Za-z0-9]+"),
                    "members": array(EMAIL),
                },
                "name",
            ),
            1000,
        ),
    }
)
"""A seed file."""
