"""Telling an observer about each request, whatever becomes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from ..errors import AuthError
from ..request_event import Observer, RequestEvent
from .allowed_route import AllowedRoute
from .decision import Decision, explained

logger = logging.getLogger(__name__)


def all_of(observers: Sequence[Observer]) -> Observer | None:
    """One observer for several, none of which keeps another from being told; None for none."""
    if not observers:
        return None

    def observe(event: RequestEvent) -> None:
        for observer in observers:
            _tell(observer, event)

    return observe


def _tell(observer: Observer, event: RequestEvent) -> None:
    try:
        observer(event)
    except Exception:
        logger.exception("An observer of requests failed.")


@dataclass(slots=True)
class Observation:
    """One hop while it is under way; `tell` ends it."""

    observer: Observer
    monotonic: Callable[[], float]
    request: httpx.Request
    decision: Decision
    hop: int
    begun_at: float
    attached: bool = False
    retries: int = 0

    def tell(self, answer: httpx.Response | BaseException) -> None:
        """Tell the observer; an observer that fails is a line in the log and no more."""
        _tell(self.observer, self._event(answer))

    def _event(self, answer: httpx.Response | BaseException) -> RequestEvent:
        options = self.decision.options
        response = answer if isinstance(answer, httpx.Response) else None
        return RequestEvent(
            method=self.request.method,
            url=_address(self.request.url),
            entry=_name(self.decision.route),
            attached=self.attached,
            reason=self._reason(answer),
            audience=options.audience if options else None,
            scope=options.scope if options else None,
            status=response.status_code if response else None,
            error=None if response else type(answer).__name__,
            milliseconds=(self.monotonic() - self.begun_at) * 1000,
            retries=self.retries,
            hop=self.hop,
        )

    def _reason(self, answer: httpx.Response | BaseException) -> str:
        if self.attached or self.decision.options is None:
            return explained(self.decision, self.request)
        return answer.code if isinstance(answer, AuthError) else "anonymous"


def _address(url: httpx.URL) -> str:
    """The URL without what may be secret in it."""
    path = url.raw_path.decode("ascii", errors="replace").partition("?")[0]
    return f"{url.scheme}://{url.netloc.decode('ascii', errors='replace')}{path}"


def _name(route: AllowedRoute | None) -> str | None:
    if route is None:
        return None
    return route.uri or getattr(route.uri_matcher, "__name__", type(route.uri_matcher).__name__)
