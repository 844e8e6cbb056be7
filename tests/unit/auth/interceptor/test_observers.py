"""What the log and OpenTelemetry get of each request."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import httpx
import pytest

from app.auth.audit import AuditTrail, OpenTelemetryAuditLog
from app.auth.http_clients import HttpClients
from app.auth.interceptor import (
    HttpInterceptorConfig,
    OpenTelemetry,
    RequestEvent,
    audit_requests,
    log_request,
)
from app.auth.interceptor.events import publish

from ....servers import ROOT
from ..telemetry import telemetry
from .fakes import Recorder

API = "https://api.example.com/v1"

PROVIDER_COMES = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from app.auth.interceptor import OpenTelemetry

watched = OpenTelemetry()
assert not watched.has_provider()
{0}
assert watched.has_provider()
"""


def test_request() -> None:
    """A span as long as the request and a count, with what was decided."""
    told = telemetry()
    event = RequestEvent("GET", f"{API}/me", f"{API}/*", True, "attached", "aud", status=200)
    OpenTelemetry(time_ns=lambda: 5_000_000).observe(event)
    (span,) = told.spans()
    assert (span.name, span.start_time, span.end_time) == ("GET", 5_000_000, 5_000_000)
    assert span.attributes == {
        "http.request.method": "GET",
        "url.full": f"{API}/me",
        "http.response.status_code": 200,
        "auth.attached": True,
        "auth.reason": "attached",
        "auth.entry": f"{API}/*",
        "auth.audience": "aud",
    }
    counted = {"auth.reason": "attached", "auth.attached": True}
    assert counted in told.counted("auth.requests")


async def test_request_of_a_users_client() -> None:
    """A request of a user's client gives a span without secrets as soon as the app has a
    provider."""
    told = telemetry()
    clients = HttpClients(
        HttpInterceptorConfig([f"{API}/*"]),
        Recorder(),
        a_token,
        AuditTrail((), clock=lambda: 0.0),
        inspection=None,
        on_request=None,
    )
    async with clients.of(None, "ref", None) as http:  # type: ignore[arg-type]
        assert (await http.get(f"{API}/me?secret=1")).status_code == httpx.codes.OK
    (span,) = told.spans()
    assert dict(span.attributes or {})["url.full"] == f"{API}/me"
    assert "secret" not in str(dict(span.attributes or {}))


def test_one_span() -> None:
    """When the audit hooks report to OpenTelemetry, too, a request still gives one span; both count
    it."""
    told = telemetry()
    audit = AuditTrail([OpenTelemetryAuditLog()], clock=lambda: 0.0)
    event = RequestEvent("GET", f"{API}/me", None, False, "not_on_list", status=200)
    publish([OpenTelemetry().observe, audit_requests(audit, "auth0|ann", "ref")], event)
    (span,) = told.spans()
    assert span.name == "GET"
    counted = {"auth.kind": "interceptor", "auth.outcome": "denied", "auth.reason": "not_on_list"}
    assert counted in told.counted("auth.events")


async def a_token(*_: object) -> str:
    """The same for every session."""
    return "secret-token"


@pytest.mark.parametrize(
    "provider",
    [
        "trace.set_tracer_provider(TracerProvider())",
        "metrics.set_meter_provider(MeterProvider())",
    ],
)
def test_provider(provider: str) -> None:
    """Requests are described from when the app sets a provider of traces or of metrics, not while
    the API of OpenTelemetry would drop them."""
    code = PROVIDER_COMES.format(provider)
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_log_line(caplog: pytest.LogCaptureFixture) -> None:
    """The log gets a line of JSON for each request."""
    caplog.set_level(logging.INFO, "app.auth.interceptor.observers")
    log_request(RequestEvent("GET", f"{API}/me", None, False, "not_on_list", status=200))
    (record,) = [r for r in caplog.records if r.name == "app.auth.interceptor.observers"]
    line = json.loads(record.getMessage())
    assert (line["method"], line["url"], line["status"]) == ("GET", f"{API}/me", 200)
