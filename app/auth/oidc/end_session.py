"""Where logout continues at the provider: OpenID Connect RP-Initiated Logout 1.0 section 2."""

from __future__ import annotations

from urllib.parse import urlencode

from .provider_metadata import ProviderMetadata

LONGEST_HINT = 4096  # characters; servers refuse URLs that are much longer


def end_session_url(
    metadata: ProviderMetadata,
    *,
    client_id: str,
    post_logout_redirect_uri: str,
    id_token: str | None = None,
    sid: str | None = None,
) -> str | None:
    """The URL to send the browser to after the local session is gone; None where there is none.

    The session is named by `id_token_hint`; at Auth0's own endpoint by `logout_hint`, which needs
    no token in a URL. A provider without an end-session endpoint whose issuer is spelled as
    Auth0's gets `/v2/logout`.
    """
    if metadata.end_session_endpoint is None:
        return _auth0_logout_url(metadata, client_id, post_logout_redirect_uri)
    parameters = {"client_id": client_id, "post_logout_redirect_uri": post_logout_redirect_uri}
    if sid and _is_auth0(metadata):
        parameters["logout_hint"] = sid
    elif id_token and len(id_token) <= LONGEST_HINT:
        parameters["id_token_hint"] = id_token
    separator = "&" if "?" in metadata.end_session_endpoint else "?"
    return f"{metadata.end_session_endpoint}{separator}{urlencode(parameters)}"


def _is_auth0(metadata: ProviderMetadata) -> bool:
    return metadata.end_session_endpoint == f"{metadata.issuer}oidc/logout"


def _auth0_logout_url(metadata: ProviderMetadata, client_id: str, return_to: str) -> str | None:
    if not metadata.issuer.endswith("/"):
        return None
    query = urlencode({"client_id": client_id, "returnTo": return_to})
    return f"{metadata.issuer}v2/logout?{query}"
