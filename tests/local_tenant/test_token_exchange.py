"""Token exchange (RFC 8693) at the tenant: who may exchange which token, and for what."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from ..flow.world import OTHER_AUDIENCE, TENANT
from .test_client_authentication import TYPE, assertion
from .visitor import ALICE, API, CALLBACK, CLIENT, VERIFIER, Visitor

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ORDERS = "https://orders.example/"
SECOND = ("external-api", "secret-of-the-api")
THIRD = ("orders-api", "secret-of-orders")
SIGNING = "signing-api"


def service(client: tuple[str, str], audience: str) -> dict[str, Any]:
    """An application that is an API (Auth0's custom API client)."""
    return {
        "client_id": client[0],
        "client_secret": client[1],
        "app_type": "resource_server",
        "resource_server_identifier": audience,
        "grant_types": [GRANT, "client_credentials"],
    }


@functools.cache
def signing_key() -> RSAKey:
    """Made once, and not when tests are collected: it takes its time."""
    return RSAKey.generate_key(2048, {"kid": "signing"})


def signing_service() -> dict[str, Any]:
    """An application that is an API, with a key in place of a secret."""
    changes = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [signing_key().as_dict(private=False)]},
    }
    application = service((SIGNING, ""), OTHER_AUDIENCE) | changes
    del application["client_secret"]
    return application


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    """A tenant with two APIs that exchange tokens, and a user who may read orders only."""
    seeds = tmp_path / "seeds.json"
    scopes = [{"value": "read:orders"}, {"value": "write:orders"}]
    api = {"identifier": ORDERS, "scopes": scopes, "enforce_policies": True}
    permissions = [{"audience": ORDERS, "scope": "read:orders"}]
    seeds.write_text(
        json.dumps(
            {
                "apis": [api],
                "users": [
                    {
                        "email": "alice@example.com",
                        "user_id": ALICE,
                        "permissions": permissions,
                    }
                ],
                "applications": [
                    service(SECOND, OTHER_AUDIENCE),
                    service(THIRD, ORDERS),
                    signing_service(),
                ],
            }
        )
    )
    visitor = Visitor(tmp_path, seed_file=seeds)
    yield visitor
    await visitor.browser.aclose()
    await visitor.application.aclose()


async def token_for(visitor: Visitor, audience: str, scope: str) -> str:
    """An access token of Alice for `local-app`."""
    tokens = await visitor.tokens(audience=audience, scope=f"openid {scope}")
    return str(tokens["access_token"])


async def exchange(
    visitor: Visitor, token: str, *, auth: Any = SECOND, **changes: str | None
) -> httpx.Response:
    """The answer to an exchange for the API `ORDERS`."""
    form: dict[str, str | None] = {
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "audience": ORDERS,
        **changes,
    }
    return await visitor.token(auth=auth, grant_type=GRANT, **form)


async def test_on_behalf_of(visitor: Visitor) -> None:
    """An API exchanges the token that it got for one at another API: the same user, the scopes that
    the user has there, the API as the actor, no longer life, and no refresh token or ID token."""
    visitor.clock.now += 0.5
    token = await token_for(visitor, OTHER_AUDIENCE, "read:messages offline_access")
    visitor.clock.now += 3000
    answer = (await exchange(visitor, token)).json()
    assert answer.keys() == {
        *("access_token", "issued_token_type", "token_type", "expires_in", "scope")
    }
    assert (answer["issued_token_type"], answer["token_type"]) == (ACCESS_TOKEN, "Bearer")
    assert (answer["scope"], answer["expires_in"]) == ("read:orders", 600)
    before = (await visitor.decoded(token)).claims
    claims = (await visitor.decoded(answer["access_token"])).claims
    assert (claims["sub"], claims["aud"], claims["client_id"]) == (ALICE, ORDERS, SECOND[0])
    assert claims["act"] == {"sub": SECOND[0]}
    assert claims["exp"] == before["exp"]


async def test_chain(visitor: Visitor) -> None:
    """Each API that acts stands in `act`, the last one outermost; five are the most."""
    token = await token_for(visitor, OTHER_AUDIENCE, "read:messages")
    actors = []
    for number in range(5):
        auth, audience = ((SECOND, ORDERS), (THIRD, OTHER_AUDIENCE))[number % 2]
        token = (await exchange(visitor, token, auth=auth, audience=audience)).json()[
            "access_token"
        ]
        actors.append(auth[0])
    act = (await visitor.decoded(token)).claims["act"]
    for actor in reversed(actors):
        assert act.pop("sub") == actor
        act = act.get("act", {})
    refused = await exchange(visitor, token, auth=THIRD, audience=OTHER_AUDIENCE)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


async def test_own_token(visitor: Visitor) -> None:
    """An application exchanges its own user's token for what the user has consented to, and nobody
    acts in it."""
    token = await token_for(visitor, API, "read:current_user")
    refused = await exchange(visitor, token, auth=CLIENT, audience=OTHER_AUDIENCE)
    assert (refused.status_code, refused.json()["error"]) == (400, "consent_required")
    await token_for(visitor, OTHER_AUDIENCE, "read:messages")
    answer = (await exchange(visitor, token, auth=CLIENT, audience=OTHER_AUDIENCE)).json()
    assert answer["scope"] == "read:messages"
    claims = (await visitor.decoded(answer["access_token"])).claims
    assert (claims["aud"], "act" in claims) == (OTHER_AUDIENCE, False)
    more = await exchange(
        *(visitor, token), auth=CLIENT, audience=API, scope="update:current_user_metadata"
    )
    assert more.json()["error"] == "consent_required"


async def test_actor_token(visitor: Visitor) -> None:
    """An application that shows a token of its own is the actor."""
    token = await token_for(visitor, OTHER_AUDIENCE, "read:messages")
    own = await visitor.token(auth=SECOND, grant_type="client_credentials", audience=ORDERS)
    actor = {"actor_token": own.json()["access_token"], "actor_token_type": ACCESS_TOKEN}
    answer = await exchange(visitor, token, **actor)
    claims = (await visitor.decoded(answer.json()["access_token"])).claims
    assert claims["act"] == {"sub": "external-api@clients"}
    for changes in (
        {"actor_token_type": ACCESS_TOKEN},
        {**actor, "actor_token_type": "urn:x"},
        {**actor, "actor_token": "x"},
        {**actor, "actor_token": token},
    ):
        refused = await exchange(visitor, token, **changes)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"subject_token": "x"}, 400, "invalid_request"),
        ({"subject_token": None}, 400, "invalid_request"),
        ({"subject_token_type": None}, 400, "invalid_request"),
        ({"subject_token_type": "urn:acme:legacy-token"}, 400, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:id_token"}, 400, "invalid_re"),
        ({"audience": None}, 400, "invalid_request"),
        ({"audience": "https://unknown.example/"}, 403, "access_denied"),
        ({"audience": "http://127.0.0.1:4400/userinfo"}, 403, "access_denied"),
        ({"resource": ORDERS}, 400, "invalid_target"),
    ],
)
async def test_bent_request(
    visitor: Visitor, changes: dict[str, str | None], status: int, error: str
) -> None:
    """What is not served is refused by the field's codes."""
    token = await token_for(visitor, OTHER_AUDIENCE, "read:messages")
    refused = await exchange(visitor, token, **changes)
    assert refused.status_code == status
    assert refused.json()["error"].startswith(error)


async def test_scope_that_the_api_lacks(visitor: Visitor) -> None:
    """A scope that the API or the user lacks is not issued, and is not taken for no scope."""
    token = await token_for(visitor, OTHER_AUDIENCE, "read:messages")
    for scope in ("write:orders", "openid offline_access", "bogus"):
        answer = (await exchange(visitor, token, scope=scope)).json()
        assert (answer["scope"], "refresh_token" in answer) == ("", False)


async def test_foreign_tokens(visitor: Visitor) -> None:
    """Refused: a token for another API, an ID token, a refresh token, a client's own token, one
    that has expired, and one of a user who has been blocked or deleted since."""
    tokens = await visitor.tokens()
    for_management, for_messages = (
        tokens["access_token"],
        await token_for(visitor, OTHER_AUDIENCE, "read:messages"),
    )
    denied = await exchange(visitor, for_management)
    assert (denied.status_code, denied.json()["error"]) == (403, "access_denied")
    own = await visitor.token(auth=SECOND, grant_type="client_credentials", audience=ORDERS)
    for token in (tokens["id_token"], tokens["refresh_token"], own.json()["access_token"]):
        assert (await exchange(visitor, token)).json()["error"] == "invalid_request"
    page = f"/users/{ALICE.replace('|', '%7C')}"
    await visitor.dashboard(page, action="block")
    blocked = await exchange(visitor, for_messages)
    assert (blocked.status_code, blocked.json()) == (
        403,
        {"error": "unauthorized", "error_description": "user is blocked"},
    )
    await visitor.dashboard(page, action="delete")
    assert (await exchange(visitor, for_messages)).json()["error"] == "invalid_grant"
    visitor.clock.now += 3600
    assert (await exchange(visitor, for_messages)).json()["error"] == "invalid_request"


async def test_bound_tokens(visitor: Visitor) -> None:
    """A token that is bound to a key (DPoP) is exchanged by its own client with that key only, and
    the new one is bound to it. An API that got it does not have the key."""
    key, other = (ECKey.generate_key("P-256") for _ in range(2))

    async def post(key: ECKey | None, auth: Any, **form: str) -> httpx.Response:
        headers = {} if key is None else {"DPoP": proof(key, visitor.clock.now)}
        return await visitor.application.post("/oauth/token", data=form, auth=auth, headers=headers)

    code = await visitor.code(audience=OTHER_AUDIENCE, scope="openid read:messages")
    redeemed = {"redirect_uri": CALLBACK, "code": code, "code_verifier": VERIFIER}
    token = await post(key, CLIENT, grant_type="authorization_code", **redeemed)
    assert token.json()["token_type"] == "DPoP"
    form = {
        "grant_type": GRANT,
        "subject_token": token.json()["access_token"],
        "subject_token_type": ACCESS_TOKEN,
    }
    for wrong in (None, other):
        refused = await post(wrong, CLIENT, **form, audience=OTHER_AUDIENCE)
        assert (refused.status_code, refused.json()["error"]) == (403, "invalid_grant")
    right = (await post(key, CLIENT, **form, audience=OTHER_AUDIENCE)).json()
    assert right["token_type"] == "DPoP"
    claims = (await visitor.decoded(right["access_token"])).claims
    assert claims["cnf"] == {"jkt": key.thumbprint()}
    assert (await post(None, SECOND, **form, audience=ORDERS)).json()["token_type"] == "Bearer"


async def test_exchange_binds_no_refresh_token(visitor: Visitor) -> None:
    """An API that exchanges a token with a DPoP key of its own takes nothing from the application
    that the user logged in to: its refresh tokens stay usable without that key."""
    tokens = await visitor.tokens(
        audience=OTHER_AUDIENCE, scope="openid offline_access read:messages"
    )
    form = {
        "grant_type": GRANT,
        "client_assertion_type": TYPE,
        "client_assertion": jwt.encode(
            {"alg": "RS256"}, assertion(visitor, SIGNING), signing_key(), ["RS256"]
        ),
        "subject_token": tokens["access_token"],
        "subject_token_type": ACCESS_TOKEN,
        "audience": ORDERS,
    }
    headers = {"DPoP": proof(ECKey.generate_key("P-256"), visitor.clock.now)}
    answer = await visitor.application.post("/oauth/token", data=form, headers=headers)
    assert answer.json()["token_type"] == "DPoP"
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200


def proof(key: ECKey, now: float) -> str:
    """A proof of a key for the token endpoint (RFC 9449 section 4.2)."""
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    claims = {"jti": token_urlsafe(8), "htm": "POST", "htu": f"{TENANT}/oauth/token", "iat": now}
    return jwt.encode(header, claims, key, ["ES256"])


async def test_clients(visitor: Visitor) -> None:
    """A public client cannot exchange, and neither can one without the grant type."""
    token = await token_for(visitor, OTHER_AUDIENCE, "read:messages")
    public = await exchange(visitor, token, auth=None, client_id="local-spa")
    assert (public.status_code, public.json()["error"]) == (401, "access_denied")
    wrong = await exchange(visitor, token, auth=(SECOND[0], "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "access_denied")


async def test_code_that_is_used_twice(visitor: Visitor) -> None:
    """A code that is used twice takes with it what its access token was exchanged for."""
    code = await visitor.code(audience=OTHER_AUDIENCE, scope="openid read:messages")
    token = (await visitor.redeem(code)).json()["access_token"]
    exchanged = (await exchange(visitor, token)).json()["access_token"]
    assert (await exchange(visitor, exchanged, auth=THIRD, audience=API)).status_code == 200
    await visitor.redeem(code)
    refused = await exchange(visitor, exchanged, auth=THIRD, audience=API)
    assert refused.json()["error"] == "invalid_request"
