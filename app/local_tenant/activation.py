"""`/activate`: the page where a user enters the code that a device shows (RFC 8628 section 3.3)."""

from __future__ import annotations

from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .authorize import Authorize
from .device_codes import find_device
from .device_grant import activation_query
from .html import alert, document, message
from .server import TenantServer

_WRONG = "This code is wrong, or has expired. Ask your device for another one."
_BLOCKED = "Too many wrong codes. Wait five minutes, or start the tenant again."
_REFUSED = {
    "access_denied": "You have declined. The device has no access.",
    "unauthorized": "This user may not log in. The device has no access.",
}


class Activation:
    """Leads from a user code to login and consent, which lead back here."""

    def __init__(self, server: TenantServer, authorize: Authorize) -> None:
        self._server = server
        self._authorize = authorize

    def routes(self) -> list[Route]:
        """The page, and its form."""
        return [
            Route("/activate", self.show, methods=["GET"]),
            Route("/activate", self.send, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """The form, or how it went. Texts are the tenant's own: anyone can make a link to here."""
        query = request.query_params
        if query.get("result") == "connected":
            return message("Device connected", "You can go on there.", status=200)
        if "error" in query:
            text = _REFUSED.get(query["error"], "Something went wrong. Start again on the device.")
            return message("Device not connected", text, status=200)
        return _form(query.get("user_code", ""))

    async def send(self, request: Request) -> Response:
        """Take a code. Wrong ones are counted (section 5.1)."""
        code = str((await request.form()).get("user_code", ""))
        return await run_in_threadpool(self._take, request, code)

    def _take(self, request: Request, code: str) -> Response:
        server = self._server
        address = request.client.host if request.client else ""
        guess = "user code", address, address
        if server.guesses.is_blocked(*guess):
            return _form(code, problem=_BLOCKED, status=429)
        device = find_device(server.database, server.clock(), user_code=code)
        if device is None:
            server.guesses.wrong(*guess)
            server.log.record("fdeac", _WRONG, ip=address)
            return _form(code, problem=_WRONG, status=400)
        server.guesses.right(*guess)
        return self._authorize.begin(request, activation_query(device, server.settings.issuer))


def _form(code: str, *, problem: str = "", status: int = 200) -> Response:
    body = f"""
        <h1>Connect a device</h1>
        <p>Enter the code that your device shows. Go on only if it is your device, and shows this
          very code.</p>
        {alert(problem)}
        <form method="post" action="/activate">
          <label>Code
            <input name="user_code" required autocomplete="off" autocapitalize="characters"
              spellcheck="false" maxlength="20" value="{escape(code[:20], quote=True)}"></label>
          <button data-testid="tenant-activate">Continue</button>
        </form>"""
    return document("Connect a device", body, status=status)
