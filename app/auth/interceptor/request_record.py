"""The interceptor's decisions, for the record."""

from __future__ import annotations

from ..audit import AuditTrail, Kind, Outcome
from ..request_event import Observer, RequestEvent

# Reasons that are decisions; any other is the code of an error because of which nothing was sent.
_DECISIONS = frozenset(
    {"anonymous", "skipped", "own_authorization", "diverted", "not_on_list", "odd_url"}
)


def request_record(audit: AuditTrail, sub: str | None, ref: str | None) -> Observer:
    """An observer of the requests of one user, in the session `ref`."""

    def observe(event: RequestEvent) -> None:
        audit.record(
            Kind.INTERCEPTOR,
            _outcome(event),
            event.reason,
            sub=sub,
            ref=ref,
            target=f"{event.method} {event.url}",
            milliseconds=event.milliseconds,
        )

    return observe


def _outcome(event: RequestEvent) -> Outcome:
    """Of the token: it went along, it was not to, or it could not be had."""
    if event.attached:
        return Outcome.SUCCESS
    return Outcome.DENIED if event.reason in _DECISIONS else Outcome.FAILURE
