"""Guards the app's own HTTP routes, by the rules that hold for pages and event handlers."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from ..access.policy import (
    LONGEST_TARGET,
    Decision,
    Denial,
    Given,
    Rule,
    decide_for,
    record_access,
)
from ..audit import AuditTrail
from ..config import AuthConfig
from ..errors import AuthError, LoginRequired, StoreUnavailable
from ..log_throttle import LogThrottle
from ..session import Session
from .client_address import client_address
from .requests import (
    RequestSessions,
    page_of_request,
    path_of_request,
    reference_of,
    referring_page,
)
from .responses import NO_STORE, json_response, log_error

logger = logging.getLogger(__name__)

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Any]])

RETRY_AFTER = {"Retry-After": "5"}  # seconds
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 section 9.2.1, without TRACE
# 401: another login helps. 403: it does not.
_STATUS = {Denial.LOGIN_REQUIRED: 401, Denial.STEP_UP_REQUIRED: 401}


class Refused(HTTPException):
    """A request that may not pass. `detail` is a stable code, `login_url` a link that helps."""

    def __init__(self, status: int, code: str, login_url: str | None = None) -> None:
        headers = {**NO_STORE, **(RETRY_AFTER if status == 503 else {})}
        super().__init__(status, code, headers)
        self.login_url = login_url

    def response(self, request: HTTPConnection) -> Response:
        """The login for a document that the browser navigates to, JSON for a script."""
        if self.login_url is not None and _is_navigation(request):
            return RedirectResponse(self.login_url, 303, headers=NO_STORE)
        body = {"error": self.detail}
        if self.login_url is not None:
            body["login_url"] = self.login_url
        return json_response(self.status_code, body, self.headers)


class RouteGuard:
    """Decides about requests. `login_url` is that of `AuthService`, `clock` gives epoch seconds."""

    def __init__(
        self,
        sessions: RequestSessions,
        config: AuthConfig,
        audit: AuditTrail,
        login_url: Callable[..., str],
        *,
        clock: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._config = config
        self._audit = audit
        self._login_url = login_url
        self._clock = clock
        self._throttle = LogThrottle()

    def around(self, endpoint: Endpoint, rule: Rule) -> Endpoint:
        """Return the endpoint, which runs only for requests that `authorize` lets pass.

        Errors of `auth.http_client_for` that it raises are answered like refusals.
        """
        if not inspect.iscoroutinefunction(endpoint):
            raise TypeError(f"{endpoint!r} cannot be guarded: define it with `async def`.")
        signature = inspect.signature(endpoint)
        rule.require_parameters(signature.parameters, f"the endpoint {endpoint.__qualname__}")

        @functools.wraps(endpoint)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            request = _request_among(*args, *kwargs.values())

            async def given() -> Mapping[str, Any]:
                call = signature.bind(*args, **kwargs)
                call.apply_defaults()
                return call.arguments

            try:
                await self.authorize(request, rule, given)
                return await endpoint(*args, **kwargs)
            except Refused as refused:
                return refused.response(request)
            except LoginRequired as error:
                return Refused(401, error.code, error.login_url).response(request)
            except AuthError as error:
                if not error.retryable:
                    raise
                log_error(error)
                return Refused(503, error.code).response(request)

        return cast(Endpoint, guarded)

    async def authorize(
        self, request: HTTPConnection, rule: Rule, given: Given | None = None
    ) -> Session:
        """Return the session if the request may pass, and record the decision. `given` returns the
        arguments of the endpoint.

        Raises:
            Refused: 401 or 403, or 503 while sessions cannot be read.
        """
        if self._is_forged(request):
            self._record(request, Decision(Denial.FOREIGN_ORIGIN), None)
            raise Refused(403, Denial.FOREIGN_ORIGIN)
        try:
            session = await self._sessions.load(request)
        except StoreUnavailable as error:
            log_error(error)
            raise Refused(503, error.code) from None
        decision = await decide_for(rule, session, self._clock, given)
        self._record(request, decision, session)
        if session is None or decision.denial is not None:
            denial = decision.denial or Denial.LOGIN_REQUIRED
            status = _STATUS.get(denial, 403)
            login_url = self._login_link(request, decision) if status == 401 else None
            raise Refused(status, denial, login_url)
        return session

    def _login_link(self, request: HTTPConnection, decision: Decision) -> str:
        # A step-up returns to a page. If the provider ignores its parameters, the browser would go
        # in a circle between the route and the login.
        is_link_from_elsewhere = (
            _is_navigation(request) and referring_page(request, self._config) is None
        )
        returns_to_itself = is_link_from_elsewhere and not decision.login_parameters
        path_of = path_of_request if returns_to_itself else page_of_request
        return self._login_url(path_of(request, self._config), **decision.login_parameters)

    def _is_forged(self, request: HTTPConnection) -> bool:
        """Whether a request that changes something is not from this app's own pages.

        SameSite=Lax withholds the cookie from other sites, but not from other ports and subdomains.
        Browsers send `Origin` with every such request.
        """
        if request.scope["method"] in _SAFE:
            return False
        origin = request.headers.get("origin")
        if origin is not None:
            return origin not in self._config.origins
        return request.headers.get("sec-fetch-site") != "same-origin"

    def _record(self, request: HTTPConnection, decision: Decision, session: Session | None) -> None:
        target = f"{request.scope['method']} {request.scope['path']}"
        if decision.denial is not None:
            client = client_address(request.scope, self._config.trusted_proxies)
            if self._throttle.is_due(f"{client} {decision.denial}"):
                logger.warning("Refused %r: %s", target[:LONGEST_TARGET], decision.denial)
            elif session is None:
                return  # any client could fill the audit trail
        sub, ref = session.sub if session else None, reference_of(request).session_id_hash
        record_access(self._audit, decision, sub=sub, ref=ref, target=target)


def _is_navigation(request: HTTPConnection) -> bool:
    """Whether the browser is to show the response as a document (Fetch Metadata)."""
    if request.scope["method"] != "GET":
        return False
    mode = request.headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in request.headers.get("accept", "")


def _request_among(*arguments: Any) -> Request:
    request = next((each for each in arguments if isinstance(each, Request)), None)
    if request is None:
        raise TypeError(
            "A guarded endpoint needs the request: give it a parameter `request: Request`."
        )
    return request
