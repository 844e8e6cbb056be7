"""The one gate that every event passes before its handler, wherever the event comes from."""

from __future__ import annotations

import logging
from collections.abc import Callable

import reflex as rx
from reflex.event import Event, EventSpec
from reflex.state import BaseState, StateUpdate
from reflex_base.registry import RegistrationContext

from ..access.policy import Decision, Denial, Rule, decide_for
from ..access.record import record_access
from ..audit import AuditTrail
from ..log_throttle import Sparingly
from ..session import Session
from .access_rules import AccessRules, is_setvar
from .builtin_handlers import Call, call_of, is_report, keep_permitted_storage, shorten
from .navigation import LoginUrl, go_to_login

logger = logging.getLogger(__name__)

FORBIDDEN = "You may not do this."


class AccessGate:
    """Decides by the mark of the handler. What a client claims (names, arguments, paths) counts for
    nothing: the handler is Reflex's own, the viewer comes from the session."""

    def __init__(
        self,
        rules: AccessRules,
        login_url: LoginUrl,
        audit: AuditTrail,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.rules = rules
        self._audit = audit
        self._login_url = login_url
        self._clock = clock
        self._throttle = Sparingly()

    def start(self) -> None:
        """Learn the rules of all handlers that there are now."""
        for name, registered in RegistrationContext.get().event_handlers.items():
            if not is_setvar(registered):  # whose rule depends on its payload
                self.rules.of_handler(name, registered)

    def rule_of(self, event: Event) -> Rule | None:
        """The rule of the handler that the event runs; None for an event that has none."""
        known = self.rules.known_handlers.get(event.name)
        if known is not None:
            return known
        call = call_of(event)
        return self.rules.of_handler(call.name, call.handler) if isinstance(call, Call) else None

    def drops(self, event: Event, sender: str | None) -> bool:
        """Whether the event cannot run: its payload does not fit its handler. The log says so, but
        not each time; `sender` is whose events are counted together."""
        call = call_of(event)
        if call is None:
            return False
        problem = call.problem if isinstance(call, Call) else call
        if problem is None and is_report(event):
            shorten(event)
            return not self._throttle.is_due(f"report {sender}")
        if problem is None:
            return False
        if self._throttle.is_due(sender or "nobody"):
            logger.warning("Dropped an event of %s: %s.", event.name, problem)
        return True

    async def keep_permitted_storage(self, event: Event, session: Session | None) -> None:
        """Take out of an event what it would write into States that its sender may not see."""
        await keep_permitted_storage(event, self.rules, session, self._clock)

    def lets_any_user_pass(self, event_name: str) -> bool:
        """Whether a session is all that is asked for, and nobody is told, as for nearly every
        event; False where that is not known yet."""
        rule = self.rules.known_handlers.get(event_name)
        return not (rule is None or rule.is_public or rule.checks or self._audit.has_hooks)

    async def refusal(
        self,
        rule: Rule,
        state: BaseState,
        event: Event,
        session: Session | None,
        *,
        ref: str | None,
        is_unknown: bool,
    ) -> StateUpdate | None:
        """What takes the place of a handler with such a rule, or None if it may run.

        `ref` is the session's reference. While sessions cannot be read (`is_unknown`) nobody is
        sent to log in: they may be.
        """
        decision = await decide_for(rule, session, self._clock)
        sub = session.sub if session else None
        record_access(self._audit, decision, sub=sub, ref=ref, target=event.name)
        if decision.denial is None:
            return None
        logger.warning(
            "Refused %s: %s%s",
            event.name,
            decision.denial,
            f" ({decision.check})" if decision.check else "",
        )
        spec = None if is_unknown else self._way_on(state, decision)
        return StateUpdate(events=Event.from_event_type(spec) if spec else [])

    def _way_on(self, state: BaseState, decision: Decision) -> EventSpec:
        match decision.denial:
            case Denial.LOGIN_REQUIRED:
                return go_to_login(state, self._login_url)
            case Denial.STEP_UP_REQUIRED:
                return go_to_login(state, self._login_url, **decision.login_parameters)
            case _:
                return rx.toast.error(FORBIDDEN)


def is_background(event_name: str) -> bool:
    """Whether it is the event of a background handler."""
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return registered is not None and registered.handler.is_background
