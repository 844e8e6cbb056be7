"""What the tenant says about itself."""

from __future__ import annotations

from typing import Any

from .apis import DESCRIPTIONS
from .client_assertions import METHODS
from .clients import CLIENT_AUTH_METHODS, CONFIDENTIAL_AUTH_METHODS, GRANT_TYPES, RESPONSE_TYPES
from .dpop_proof import ALGORITHM
from .request_objects import ALGORITHMS
from .second_step import MULTI_FACTOR
from .settings import TenantSettings


def metadata(settings: TenantSettings) -> dict[str, Any]:
    """The metadata of OpenID Connect Discovery section 3 and RFC 8414."""
    issuer = settings.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}authorize",
        "token_endpoint": f"{issuer}oauth/token",
        "userinfo_endpoint": f"{issuer}userinfo",
        "jwks_uri": f"{issuer}.well-known/jwks.json",
        "revocation_endpoint": f"{issuer}oauth/revoke",
        "end_session_endpoint": f"{issuer}oidc/logout",
        "pushed_authorization_request_endpoint": f"{issuer}oauth/par",
        "device_authorization_endpoint": f"{issuer}oauth/device/code",
        "introspection_endpoint": f"{issuer}oauth/introspect",
        "scopes_supported": list(DESCRIPTIONS),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": ["query", "fragment", "form_post", "web_message"],
        "grant_types_supported": list(GRANT_TYPES),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": CLIENT_AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": CLIENT_AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": CONFIDENTIAL_AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": list(METHODS.values()),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "authorization_response_iss_parameter_supported": settings.response_issuer,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,  # but references of the PAR endpoint
        "request_object_signing_alg_values_supported": list(ALGORITHMS),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "dpop_signing_alg_values_supported": [ALGORITHM],
        "acr_values_supported": [MULTI_FACTOR],
        "claims_supported": ["sub", "name", "nickname", "picture", "email", "email_verified"],
        "x_local_tenant": True,
    }
