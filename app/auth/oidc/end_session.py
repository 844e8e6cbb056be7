"""Where logout continues at the provider: OpenID Connect RP-Initiated Logout 1.0 section 2."""

from __future__ import annotations

from urllib.parse import urlencode

from .discovery import ProviderMetadata


def end_session_url(
    metadata: ProviderMetadata,
    *,
    client_id: str,
    post_logout_redirect_uri: str,
    sid: str | None,
) -> str:
    """The URL to send the browser to after the local session is gone.

    The session is named by `logout_hint`, not by `id_token_hint`: a URL ends up in histories and
    logs, and no token belongs there. A provider without an end-session endpoint gets Auth0's
    `/v2/logout`.
    """
    if metadata.end_session_endpoint is None:
        base = f"{metadata.issuer.rstrip('/')}/v2/logout"
        return f"{base}?{urlencode({'client_id': client_id, 'returnTo': post_logout_redirect_uri})}"
    parameters = {"client_id": client_id, "post_logout_redirect_uri": post_logout_redirect_uri}
    if sid:
        parameters["logout_hint"] = sid
    separator = "&" if "?" in metadata.end_session_endpoint else "?"
    return f"{metadata.end_session_endpoint}{separator}{urlencode(parameters)}"
