"""How an authorization response reaches the application, other than by a query."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ..flow.world import APP, TENANT
from .visitor import ALICE, CALLBACK, VERIFIER, Visitor

SPA = {"client_id": "local-spa", "redirect_uri": f"{APP}/"}


def posted_message(page: httpx.Response) -> tuple[dict[str, object], str]:
    """What a `web_message` page posts, and to which origin. Its script is the one that its policy
    allows."""
    ((nonce, script),) = re.findall(r'<script nonce="([^"]+)">(.*?)</script>', page.text)
    assert f"script-src 'nonce-{nonce}';" in page.headers["content-security-policy"]
    arguments = script.partition("})(")[2].removesuffix(")")
    message, origin = json.loads(f"[{arguments}]")
    return message, origin


async def silent(visitor: Visitor, **changes: str) -> httpx.Response:
    """A silent login of the browser-side client."""
    return await visitor.authorize(response_mode="web_message", prompt="none", **{**SPA, **changes})


async def test_web_message(visitor: Visitor) -> None:
    """A silent login posts its code, or Auth0's error, to the origin of the redirect URI; only a
    page of that origin may frame it."""
    message, origin = posted_message(await silent(visitor))
    assert origin == APP
    assert message == {
        "type": "authorization_response",
        "response": {
            "error": "login_required",
            "error_description": "Login required",
            "state": "state-value",
        },
    }
    await visitor.code(**SPA)
    page = await silent(visitor)
    message, origin = posted_message(page)
    response = message["response"]
    assert isinstance(response, dict)
    assert response.keys() == {"code", "state"}
    policy = page.headers["content-security-policy"].split("; ")
    assert f"frame-ancestors {APP}" in policy
    assert "default-src 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    form = {"client_id": "local-spa", "redirect_uri": f"{APP}/", "code": response["code"]}
    tokens = await visitor.token(
        auth=None, grant_type="authorization_code", code_verifier=VERIFIER, **form
    )
    assert tokens.status_code == 200


async def test_text_in_a_script(visitor: Visitor) -> None:
    """The client's state cannot end the script."""
    state = "<!--</script ><script>alert(1)</script>\u2028'\""
    page = await silent(visitor, state=state)
    assert page.text.count("</script") == page.text.count("<script") == 1
    assert "<!--" not in page.text
    message, _ = posted_message(page)
    response = message["response"]
    assert isinstance(response, dict)
    assert response["state"] == state


async def test_popup(visitor: Visitor) -> None:
    """After the login and consent pages in a popup, which nobody may frame, the response is
    posted, too."""
    login = await visitor.authorize(response_mode="web_message", **SPA)
    page = await visitor.browser.get(login.headers["location"])
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    form = {"username": "alice@example.com", "password": "password"}
    consent = await visitor.browser.post(page.url, data=form)
    done = await visitor.browser.post(consent.headers["location"], data={"action": "accept"})
    assert done.status_code == 200
    assert posted_message(done)[1] == APP


async def test_other_origins(tmp_path: Path) -> None:
    """A response by `web_message` goes to a registered web origin, and to no other origin of a
    registered redirect URI; no parameter names another. Such a page may not be framed."""
    seeds = tmp_path / "seeds.json"
    application = {
        "client_id": "popup",
        "token_endpoint_auth_method": "none",
        "callbacks": ["https://one.example/cb", "https://two.example/cb"],
        "web_origins": ["https://one.example"],
    }
    seeds.write_text(json.dumps({"applications": [application]}))
    visitor = Visitor(tmp_path, seed_file=seeds)
    asked = {"client_id": "popup", "web_message_uri": APP, "origin": APP}
    page = await silent(visitor, redirect_uri="https://one.example/cb", **asked)
    assert posted_message(page)[1] == "https://one.example"
    refused = await silent(visitor, redirect_uri="https://two.example/cb", **asked)
    assert refused.status_code == 403
    assert "<script" not in refused.text
    assert "frame-ancestors 'none'" in refused.headers["content-security-policy"]
    for origin, allowed in (("https://one.example", True), ("https://two.example", False)):
        response = await visitor.application.get("/userinfo", headers={"Origin": origin})
        assert ("access-control-allow-origin" in response.headers) == allowed


async def test_form_post(visitor: Visitor) -> None:
    """A response by form_post is a form to the redirect URI, which the page sends by itself."""
    await visitor.code()
    state = '"><script>'
    page = await visitor.authorize(response_mode="form_post", state=state)
    assert f'action="{CALLBACK}"' in page.text
    assert f"form-action {APP}" in page.headers["content-security-policy"]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    assert fields.keys() == {"code", "state"}
    assert unescape(fields["state"]) == state
    assert (await visitor.redeem(fields["code"])).status_code == 200


async def test_fragment(visitor: Visitor) -> None:
    """A response by fragment never reaches a server."""
    await visitor.code()
    location = (await visitor.authorize(response_mode="fragment")).headers["location"]
    assert location.startswith(f"{CALLBACK}#code=")


ID_TOKEN = {"response_type": "id_token", "code_challenge": None, "code_challenge_method": None}


async def test_id_token(visitor: Visitor) -> None:
    """`response_type=id_token` brings an ID token with the nonce and the profile, by form or
    fragment, and no access token."""
    await visitor.code()
    page = await visitor.authorize(response_mode="form_post", **ID_TOKEN)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    assert fields.keys() == {"id_token", "state"}
    claims = (await visitor.decoded(fields["id_token"])).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == (f"{TENANT}/", ALICE, "local-app")
    assert (claims["nonce"], claims["email"]) == ("nonce-value", "alice@example.com")
    assert claims["sid"]
    assert "at_hash" not in claims
    location = (await visitor.authorize(**ID_TOKEN)).headers["location"]
    assert parse_qs(urlsplit(location).fragment).keys() == {"id_token", "state"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"nonce": None}, "invalid_request"),
        ({"scope": "read:current_user"}, "invalid_scope"),
        ({"response_mode": "query"}, "invalid_request"),
    ],
)
async def test_bent_id_token_request(
    visitor: Visitor, changes: dict[str, str | None], error: str
) -> None:
    """An ID token in a response needs a nonce and openid, and never stands in a query."""
    await visitor.code()
    location = (await visitor.authorize(**{**ID_TOKEN, **changes})).headers["location"]
    assert f"error={error}" in location
    assert "id_token=" not in location
