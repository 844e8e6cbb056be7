"""Decides about every event before its handler runs, and about pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

import reflex as rx
from reflex.event import Event, EventSpec
from reflex.state import BaseState, StateUpdate
from reflex_base.registry import RegistrationContext

from ..access.policy import Decision, Denial, Given, Rule, decide_for, record_access
from ..audit import AuditTrail
from ..http.connections import Connection
from ..log_throttle import LogThrottle
from ..session import Session
from ..texts import AuthTexts
from .access_rules import AccessRules, is_setvar
from .builtin_handlers import Call, call_of, is_report, shorten
from .guard import Page, guard_page, is_guarded_page, with_owner, with_silent_login
from .navigation import LoginUrl, go_to_login
from .pages import Views
from .payloads import STATE, Parameters, default_arguments, parameters_of
from .reflex_seam import converted_payload, wrap_pages
from .replay import Replay
from .state import text_for

logger = logging.getLogger(__name__)


class AccessControl:
    """Decides by the rule of the handler. Nothing that a client claims counts: the handler is taken
    from Reflex's registry, and the user from the session."""

    def __init__(
        self,
        rules: AccessRules,
        login_url: LoginUrl,
        audit: AuditTrail,
        views: Views | None = None,
        replay: Replay | None = None,
        *,
        silent_login: bool = False,
        clock: Callable[[], float],
    ) -> None:
        self.rules = rules
        self._is_login_silent = silent_login
        self._views = views or Views(AuthTexts())
        self._audit = audit
        self._replay = replay
        self._login_url = login_url
        self._clock = clock
        self._throttle = LogThrottle()
        self._page_rules: dict[str, Rule] = {}
        self._ordinary: dict[str, Parameters] = {}

    def install(self, app: rx.App) -> None:
        """Guard the pages of the app, including those that it adds later."""
        wrap_pages(app, self._guarded)

    def start(self) -> None:
        """Look up the rules of all variables and registered handlers. Raises `TypeError` if a check
        takes arguments that there are not."""
        for state in RegistrationContext.get().base_states.values():
            for name in state.vars:
                self.rules.of_variable(state, name)
        for name, registered in RegistrationContext.get().event_handlers.items():
            if is_setvar(registered):  # its rule depends on the setter in its payload
                continue
            rule = self.rules.of_handler(name, registered)
            if not (rule.is_public or rule.checks or self._audit.has_hooks):
                self._ordinary[name] = parameters_of(registered.handler.fn)

    def lets_any_user_pass(self, event: Event) -> bool:
        """Whether the event needs a session only, and is not recorded. So it is for nearly every
        event."""
        parameters = self._ordinary.get(event.name)
        return parameters is not None and parameters.problem(event.payload) is None

    def drops(self, event: Event, connection: Connection | None) -> bool:
        """Whether to drop the event because its payload does not fit its handler. This is logged a
        few times a minute at most."""
        sender = connection.tree if connection else ""
        problem = self.problem(event)
        if problem is None and is_report(event):
            shorten(event)
            return not self._throttle.is_due(f"report {sender}")
        if problem is None:
            return False
        if self._throttle.is_due(sender):
            logger.warning("Dropped an event of %s: %s.", event.name, problem)
        return True

    def problem(self, event: Event) -> str | None:
        """Say why the payload of an event does not fit its handler; None if it fits."""
        call = call_of(event)
        return call.problem if isinstance(call, Call) else call

    async def decide(self, state: BaseState, event: Event, session: Session | None) -> Decision:
        """Decide whether the user of a session may call the handler of an event. `state` is any of
        the tree."""
        rule = self._rule_of(event)
        if rule is None:
            return Decision(Denial.UNKNOWN_HANDLER)
        return await decide_for(rule, session, self._clock, self._given(state, event))

    async def refusal(
        self,
        state: BaseState,
        event: Event,
        session: Session | None,
        connection: Connection | None,
        *,
        is_unknown: bool,
    ) -> StateUpdate | None:
        """Return the update to send instead of running the handler; None if it may run.

        While sessions cannot be read (`is_unknown`), the browser is not redirected to the login:
        the user may be signed in.
        """
        rule = self._rule_of(event)
        if rule is None or rule.is_public:
            return None
        decision = await decide_for(rule, session, self._clock, self._given(state, event))
        record_access(
            self._audit,
            decision,
            sub=session.sub if session else None,
            ref=connection.session_id_hash if connection else None,
            target=event.name,
        )
        if decision.denial is None:
            return None
        check = f" ({decision.check})" if decision.check else ""
        if self._throttle.is_due(f"{connection.tree if connection else ''} {event.name}"):
            logger.warning("Refused %s: %s%s", event.name, decision.denial, check)
        spec = None if is_unknown else await self._remedy(state, event, decision, connection)
        return StateUpdate(events=Event.from_event_type(spec) if spec else [])

    async def decide_page(self, session: Session | None, key: str) -> Decision | None:
        """Decide about a page by the key of its rule. None if no page has such a rule."""
        rule = self._page_rules.get(key)
        return await decide_for(rule, session, self._clock) if rule else None

    async def decide_pages(self, session: Session | None) -> dict[str, Decision]:
        """Decide about each page with checks, by the key of its rule."""
        rules = {key: rule for key, rule in self._page_rules.items() if rule.checks}
        decisions = [decide_for(rule, session, self._clock) for rule in rules.values()]
        return dict(zip(rules, await asyncio.gather(*decisions), strict=True))

    def record_page(self, connection: Connection | None, page: str, decision: Decision) -> None:
        """Record a decision about a page in the audit trail."""
        session_id_hash, sub = (
            (connection.session_id_hash, connection.sub) if connection else (None, None)
        )
        record_access(self._audit, decision, sub=sub, ref=session_id_hash, target=page)

    def _given(self, state: BaseState, event: Event) -> Given:
        """Return what gives the arguments of an event to the checks that take some."""

        async def given() -> Mapping[str, Any]:
            call = call_of(event)
            if not isinstance(call, Call) or call.problem:
                raise ValueError("The arguments of the event do not fit its handler.")
            owner, handler = call.handler.states[0], call.handler.handler
            # `setvar` passes its value on as it is.
            is_direct = call.name == event.name
            sent = converted_payload(handler, call.payload) if is_direct else call.payload
            defaults = default_arguments(handler.fn)
            return {**defaults, **sent, STATE: await state.get_state(owner)}

        return given

    def _rule_of(self, event: Event) -> Rule | None:
        """The rule of the handler that the event runs; None if the event has no handler."""
        known = self.rules.known_handlers.get(event.name)
        if known is not None:
            return known
        call = call_of(event)
        return self.rules.of_handler(call.name, call.handler) if isinstance(call, Call) else None

    async def _remedy(
        self, state: BaseState, event: Event, decision: Decision, connection: Connection | None
    ) -> EventSpec:
        match decision.denial:
            case Denial.LOGIN_REQUIRED:
                kept = await self._replay.keep(event, connection) if self._replay else {}
                return go_to_login(state, self._login_url, **kept)
            case Denial.STEP_UP_REQUIRED:
                return go_to_login(state, self._login_url, **decision.login_parameters)
            case _:
                return rx.toast.error(text_for(state, self._views.texts, "not_allowed"))

    def _guarded(self, page: Any) -> Any:
        if page is None:
            return page  # Reflex's own page for addresses that have none
        rule = self.rules.of_page(page)
        self._page_rules[rule.key] = rule
        # Reflex also takes a component in place of a function.
        view = cast(Page, page) if callable(page) else lambda: page
        # A page may be guarded by `require_login` already.
        if is_guarded_page(page):
            return with_owner(view)
        if not rule.is_public:
            view = guard_page(view, self._views, rule)
        elif self._is_login_silent:
            view = with_silent_login(view)
        return with_owner(view)
