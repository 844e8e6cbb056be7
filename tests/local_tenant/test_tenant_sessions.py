"""The end of a login at the tenant: without use, and after a time."""

from __future__ import annotations

from pathlib import Path

from .visitor import Visitor, answer

DAY = 86_400.0


async def test_idle(visitor: Visitor) -> None:
    """A login that nobody uses ends after three days; each use keeps it."""
    await visitor.code()
    for _ in range(2):
        visitor.clock.now += 3 * DAY - 1
        assert "code" in answer(await visitor.authorize(prompt="none"))
    visitor.clock.now += 3 * DAY
    assert answer(await visitor.authorize(prompt="none"))["error"] == "login_required"


async def test_absolute(visitor: Visitor) -> None:
    """A login ends after seven days, however often it is used."""
    await visitor.code()
    for _ in range(6):
        visitor.clock.now += DAY
        assert "code" in answer(await visitor.authorize(prompt="none"))
    visitor.clock.now += DAY
    assert answer(await visitor.authorize(prompt="none"))["error"] == "login_required"


async def test_end_of_the_lifetime_of_refresh_tokens(visitor: Visitor) -> None:
    """The lifetime of refresh tokens runs from the login; rotation does not extend it."""
    token = (await visitor.tokens())["refresh_token"]
    visitor.clock.now += 29 * DAY
    token = (await visitor.refresh(token)).json()["refresh_token"]
    visitor.clock.now += 2 * DAY
    assert (await visitor.refresh(token)).json()["error"] == "invalid_grant"


async def test_two_tenants(tmp_path: Path) -> None:
    """A browser is logged in at two tenants on two ports of one host, which share its cookies."""
    tenants = [Visitor(tmp_path / str(port), port=port) for port in (4400, 4410)]
    first, second = (tenant.browser.cookies for tenant in tenants)
    await tenants[0].code(audience=None)
    second.update(first)
    await tenants[1].code(audience=None)
    first.update(second)
    for tenant in tenants:
        assert "code" in answer(await tenant.authorize(audience=None, prompt="none"))
