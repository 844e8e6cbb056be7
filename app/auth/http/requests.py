"""The session of a plain HTTP request, for the app's own routes, where there is no tab.

The gate puts a reference of the session into the ASGI scope, under a key that no client can set: a
client supplies headers, path, query and body only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, SupportsIndex
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..config import AuthConfig
from ..flows.devices import public_id
from ..flows.login_link import safe_return_to
from ..session import Session, SessionStore, StoredSession
from ..user import PublicClaims, User, copy_of

_KEY = "reflex_oidc.session"


class SessionReference:
    """Names the session of a request: `session_id_hash` is None if the request has no cookie.

    `sub` is the user's, once the session has been loaded. An object, and not the bare hash, so that
    it is not written to a log or pickled into a Reflex state by accident.
    """

    __slots__ = ("session_id_hash", "sub")

    def __init__(self, session_id_hash: str | None) -> None:
        self.session_id_hash = session_id_hash
        self.sub: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("The reference of a session cannot be pickled or copied.")


async def call_with_reference(
    inner: ASGIApp, scope: Scope, receive: Receive, send: Send, session_id_hash: str | None
) -> None:
    """Call `inner` with a reference of the session, in place of any in the scope. A response for
    which the session was loaded is private to its user, unless it has a `Cache-Control`."""
    reference = SessionReference(session_id_hash)

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and reference.sub is not None:
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "private, no-store")
        await send(message)

    await inner({**scope, _KEY: reference}, receive, sending)


def reference_of(request: HTTPConnection) -> SessionReference:
    """Return the reference that the gate has put into the scope.

    Raises:
        RuntimeError: the request has not passed the gate, or is a websocket.
    """
    reference = request.scope.get(_KEY)
    if not isinstance(reference, SessionReference):
        raise RuntimeError(
            "This request has not passed the auth layer's gate. Mount the route through the "
            "api_transformer of the rx.App, before auth.install(app). Websockets have no session."
        )
    return reference


class _ServerOnly:
    """What a session has for the server only. These are no fields: FastAPI and
    `dataclasses.asdict` turn fields into JSON for the browser when an endpoint returns the session.
    """

    __slots__ = ("_claims", "_data")

    _claims: Mapping[str, Any]
    _data: Mapping[str, Any]

    @property
    def claims(self) -> Mapping[str, Any]:
        """All claims of the user."""
        return self._claims

    @property
    def data(self) -> Mapping[str, Any]:
        """What `before_session` kept."""
        return self._data


@dataclass(frozen=True, slots=True)
class RequestSession(_ServerOnly):
    """The session of a request. It holds no token.

    `id` is the same as in `Device.id`; with `sub` it names the session for `auth.http_client_of`.
    `user` holds the public claims, `claims` all of them, and `data` what `before_session` kept.
    `provider` is the name of the provider; empty if the app has one.
    Times are epoch seconds: `auth_time` is when the user authenticated at the provider,
    `created_at` when the session began, and `expires_at` when it ends if it is not used again.
    """

    id: str
    sub: str
    user: User = field(repr=False)
    auth_time: float
    created_at: float
    expires_at: float
    provider: str = ""


class RequestSessions:
    """Loads the sessions of requests. `clock` returns epoch seconds."""

    def __init__(
        self, store: SessionStore, public_claims: PublicClaims, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self.public_claims = public_claims
        self._clock = clock

    async def load(self, request: HTTPConnection) -> Session | None:
        """Return the session, which counts as used; None if no user is signed in.

        Raises:
            StoreUnavailable: the session cannot be read.
            RuntimeError: the request has not passed the gate.
        """
        stored = await self._load(request)
        return stored.session if stored else None

    async def _load(self, request: HTTPConnection) -> StoredSession | None:
        """The same, with its times.

        Raises:
            StoreUnavailable: the session cannot be read.
            RuntimeError: the request has not passed the gate.
        """
        reference = reference_of(request)
        if reference.session_id_hash is None:
            return None
        stored = await self._store.load(reference.session_id_hash)
        if stored is None:
            return None
        if self._clock() - stored.last_seen_at >= self._store.lifetimes.touch_interval:
            await self._store.touch(reference.session_id_hash)
            stored = replace(stored, last_seen_at=self._clock())
        reference.sub = stored.session.sub
        return stored

    async def of(self, request: HTTPConnection) -> RequestSession | None:
        """The same, as an object for the app."""
        stored, session_id_hash = await self._load(request), reference_of(request).session_id_hash
        if stored is None or session_id_hash is None:
            return None
        session = stored.session
        found = RequestSession(
            id=public_id(session_id_hash),
            sub=session.sub,
            user=self.public_claims.of(session.user),
            auth_time=session.auth_time,
            created_at=session.created_at,
            expires_at=stored.expires_at(self._store.lifetimes),
            provider=session.provider,
        )
        object.__setattr__(found, "_claims", session.claims())  # it is frozen for everybody else
        object.__setattr__(found, "_data", copy_of(session.data))
        return found


def page_of_request(request: HTTPConnection, config: AuthConfig) -> str:
    """Return the path to come back to after a login: of the page that sent the request, or "/".

    The request's own path is a route of the backend. To come back to it would leave the browser
    with a JSON text, or with a download and the provider's page. The `Referer` names the page; in
    development, where page and backend are two origins, browsers shorten it to the origin.
    """
    return safe_return_to(referring_page(request, config))


def referring_page(request: HTTPConnection, config: AuthConfig) -> str | None:
    """Return the path and query of the page that sent the request; None if it is not the app's."""
    referer = request.headers.get("referer", "")
    path = referer.removeprefix(config.at_host(request.headers.get("host")).app_base_url)
    return path if path != referer and path[:1] in ("", "/") else None


def path_of_request(request: HTTPConnection, config: AuthConfig) -> str:
    """Return the request's own path and query, without the path of the app; "/" if a login cannot
    return there: it returns to a path of the page's origin, below the path of the app."""
    path = str(request.scope["path"])
    if not config.is_one_origin or not path.startswith(f"{config.base_path}/"):
        return "/"
    query = request.scope["query_string"].decode("latin-1")
    path = quote(path.removeprefix(config.base_path))
    return safe_return_to(path + (f"?{query}" if query else ""))
