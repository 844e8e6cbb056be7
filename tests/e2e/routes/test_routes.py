"""Routes in FastAPI and Starlette, in a process of their own: two users, and forged requests."""

from __future__ import annotations

import httpx
import pytest

from app.auth.session import hash_session_id

from ...cookies import session_cookie
from ..stack import Stack
from ..walk import ALICE, BOB
from .conftest import LogIn

ORDER = {"item": "tea"}


def test_two_users(routes: Stack, log_in: LogIn) -> None:
    """Each user's requests are theirs, in FastAPI and in Starlette, in async and plain
    endpoints."""
    for email, name in ((ALICE, "alice"), (BOB, "bob")):
        browser = log_in(email)
        assert browser.get("/api/me").json() == {"nickname": name}
        assert browser.get("/api/plain").json() == name
        assert browser.get("/api/session").json() == name
        assert browser.get("/export.csv").text == f"name\n{name}\n"
        own = browser.post("/api/orders", json=ORDER, headers={"Origin": routes.url})
        assert own.json() == f"tea for {name}"


def test_without_session(routes: Stack) -> None:
    """Without a session, FastAPI's dependency answers 401, and the optional one gives None."""
    with httpx.Client(base_url=routes.api_url, trust_env=False) as visitor:
        answer = visitor.get("/api/me")
        assert (answer.status_code, answer.json()) == (401, {"detail": "login_required"})
        assert answer.headers["cache-control"] == "no-store"
        assert visitor.get("/api/session").json() is None
        assert visitor.get("/export.csv").json()["error"] == "login_required"


def test_description(routes: Stack) -> None:
    """FastAPI takes the dependency's `request` for what it is, and asks no client for it."""
    described = httpx.get(f"{routes.api_url}/openapi.json", trust_env=False).json()
    assert "parameters" not in described["paths"]["/api/me"]["get"]


def test_guarded_endpoint_of_fastapi(routes: Stack, log_in: LogIn) -> None:
    """The guard works for an endpoint whose arguments FastAPI fills in."""
    headers = {"Origin": routes.url}
    alice, bob = log_in(ALICE), log_in(BOB)
    answer = alice.put("/api/orders/7", json=ORDER, headers=headers)
    assert answer.json() == "7: tea for alice"
    refused = bob.put("/api/orders/7", json=ORDER, headers=headers)
    assert (refused.status_code, refused.json()) == (403, {"error": "forbidden"})


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://localhost:1"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_cross_site_request(log_in: LogIn, headers: dict[str, str]) -> None:
    """A request that changes something from another origin is refused by both guards."""
    alice = log_in(ALICE)
    for method, path in (("POST", "/api/orders"), ("PUT", "/api/orders/7")):
        assert alice.request(method, path, json=ORDER, headers=headers).status_code == 403


def test_forged_headers(routes: Stack, log_in: LogIn) -> None:
    """Whoever knows the hash of a session id, or the name under which the gate keeps it, is
    nobody; and no header that reaches a route holds the session."""
    alice = log_in(ALICE)
    session_id = alice.cookies[session_cookie(routes.url)]
    stolen = hash_session_id(session_id)
    with httpx.Client(base_url=routes.api_url, trust_env=False) as thief:
        for name in ("reflex_oidc.session", "reflex-oidc-session", "session", "x-session"):
            headers = {name: stolen, "Cookie": f"{session_cookie(routes.url)}={stolen}"}
            answer = thief.get("/api/me", params={name: stolen}, headers=headers)
            assert answer.status_code == 401
    seen = alice.get("/headers", headers={"Cookie": f"theme=dark; x={'y' * 10}"}).text
    assert session_id not in seen
    assert stolen not in seen


def test_logout(routes: Stack, log_in: LogIn) -> None:
    """After the logout, the cookie opens no route any more."""
    alice, other = log_in(ALICE), log_in(ALICE)
    cookie = f"{session_cookie(routes.url)}={alice.cookies[session_cookie(routes.url)]}"
    alice.post("/auth/logout", headers={"Origin": routes.url})
    for path in ("/api/me", "/export.csv"):
        assert alice.get(path, headers={"Cookie": cookie}).status_code == 401
        assert other.get(path).status_code == 200


def test_log(routes: Stack, log_in: LogIn) -> None:
    """Neither the session id nor its hash is in the log, also after refusals."""
    alice = log_in(ALICE)
    session_id = alice.cookies[session_cookie(routes.url)]
    alice.post("/api/orders", json=ORDER)
    log = routes.app.log.read_text(errors="replace")
    assert "foreign_origin" in log
    assert session_id not in log
    assert hash_session_id(session_id) not in log
