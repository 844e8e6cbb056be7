"""The two pages between an application's request and its answer."""

from __future__ import annotations

import httpx
import pytest

from .visitor import SCOPE, Visitor, answer

ALICES = {"username": "alice@example.com", "password": "password"}


async def login_page(visitor: Visitor, **changes: str | None) -> str:
    """The address of the login page."""
    return str((await visitor.authorize(**changes)).headers["location"])


async def log_in(visitor: Visitor, **changes: str | None) -> str:
    """Log in as Alice; the address of what comes next."""
    response = await visitor.browser.post(await login_page(visitor, **changes), data=ALICES)
    return str(response.headers["location"])


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("alice@example.com", "wrong"),
        ("alice@example.com", ""),
        ("nobody@example.com", "password"),
        ("alice@example.com' OR 1=1 --", "password"),
    ],
)
async def test_wrong_credentials(visitor: Visitor, username: str, password: str) -> None:
    """A wrong password and an unknown address get the same message, and the address is kept."""
    page = await login_page(visitor)
    form = {"username": username, "password": password}
    response = await visitor.browser.post(page, data=form)
    assert response.status_code == 400
    assert "Wrong email address or password." in response.text
    assert username.replace("'", "&#x27;") in response.text
    assert (await visitor.browser.post(page, data=ALICES)).status_code == 303


async def test_typed_text_is_text(visitor: Visitor) -> None:
    """What is typed, or comes in login_hint, is escaped on the page."""
    script = '"><script>alert(1)</script>'
    page = await login_page(visitor, login_hint=script)
    shown = await visitor.browser.get(page)
    typed = await visitor.browser.post(page, data={"username": script, "password": "x"})
    for response in (shown, typed):
        assert "<script>" not in response.text
        assert "script-src" not in response.headers["content-security-policy"]
        assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}])
@pytest.mark.parametrize("form", ["consent", "second-step"])
async def test_no_way_around_the_password(
    visitor: Visitor, changes: dict[str, str], form: str
) -> None:
    """A user who is asked for the password again cannot go on to another form instead."""
    await visitor.code()
    visitor.clock.now += 1
    page = await login_page(visitor, **changes)
    other = page.replace("/u/login", f"/u/{form}")
    response = await visitor.browser.post(other, data={"action": "accept", "code": "123456"})
    assert not response.headers.get("location", page).startswith("http://localhost")
    accepted = await visitor.browser.post(page, data=ALICES)
    assert "code" in answer(accepted)


async def test_new_cookie_at_login(visitor: Visitor) -> None:
    """A login gets a new cookie: one that was planted before is worth nothing."""
    page = await login_page(visitor)
    before = visitor.browser.cookies["local_tenant_4400"]
    await visitor.browser.post(page, data=ALICES)
    assert visitor.browser.cookies["local_tenant_4400"] != before
    thief = visitor.client()
    thief.cookies.set("local_tenant_4400", before)
    response = await thief.get(visitor.authorize_url())
    assert response.headers["location"].startswith("/u/login")


@pytest.mark.parametrize("path", ["/u/login", "/u/consent"])
async def test_page_of_another_browser(visitor: Visitor, path: str) -> None:
    """A page that was opened in one browser cannot be answered from another."""
    page = await login_page(visitor)
    stranger = visitor.client()
    address = page.replace("/u/login", path)
    for response in (await stranger.get(address), await stranger.post(address, data=ALICES)):
        assert response.status_code == 400
        assert "Start again" in response.text


async def test_consent_lists_scopes(visitor: Visitor) -> None:
    """The consent page names every scope that is asked for, and none that the tenant lacks."""
    page = await log_in(visitor, scope=f"{SCOPE} launch:missiles")
    text = (await visitor.browser.get(page)).text
    for scope in SCOPE.split():
        assert f"<code>{scope}</code>" in text
    assert "launch:missiles" not in text
    assert "Alice Liddell" in text


async def test_consent_denied(visitor: Visitor) -> None:
    """Declining tells the application access_denied, and nothing is remembered."""
    page = await log_in(visitor)
    response = await visitor.browser.post(page, data={"action": "decline"})
    parameters = answer(response)
    assert (parameters["error"], parameters["state"]) == ("access_denied", "state-value")
    again = await visitor.authorize()
    assert again.headers["location"].startswith("/u/consent")


async def test_consent_is_remembered(visitor: Visitor) -> None:
    """What was allowed once is not asked for again; more is."""
    await visitor.code(scope="openid read:current_user")
    assert "code" in answer(await visitor.authorize(scope="openid"))
    more: httpx.Response = await visitor.authorize()
    assert more.headers["location"].startswith("/u/consent")


async def test_consent_page_works_once(visitor: Visitor) -> None:
    """A consent page that was answered is over."""
    page = await log_in(visitor)
    assert (await visitor.browser.post(page, data={"action": "accept"})).status_code == 303
    assert (await visitor.browser.post(page, data={"action": "accept"})).status_code == 400
