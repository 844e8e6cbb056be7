"""Decisions about access, for the record."""

from __future__ import annotations

from ..audit import AuditTrail, Kind, Outcome
from .policy import Decision

LONGEST_TARGET = 200  # characters; a client may claim any page


def record_access(
    audit: AuditTrail, decision: Decision, *, sub: str | None, ref: str | None, target: str
) -> None:
    """Note a decision about `target`, a page or a handler, for whoever asked."""
    if not audit.has_hooks:
        return
    denial = decision.denial
    audit.record(
        Kind.ACCESS,
        Outcome.DENIED if denial else Outcome.SUCCESS,
        denial or "allowed",
        sub=sub,
        ref=ref,
        target=target[:LONGEST_TARGET],
    )
