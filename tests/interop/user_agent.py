"""A browser without JavaScript: cookies, redirects, and forms that are filled in and sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx


@dataclass(slots=True)
class Form:
    """What a form says; `fields` are the values that it would send as it is."""

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Where the browser is; `html` is empty once it has been sent back to the app."""

    url: str
    html: str = ""
    status: int = 200

    def parameters(self) -> dict[str, str]:
        """What its URL says."""
        return dict(parse_qsl(urlsplit(self.url).query))

    def form(self) -> Form:
        """The first one."""
        forms = self._forms()
        assert forms, f"no form at {self.url}:\n{self.html[-2000:]}"
        return forms[0]

    def fields(self) -> set[str]:
        """What the first form asks for or sends; empty without one."""
        forms = self._forms()
        return set(forms[0].fields) if forms else set()

    def _forms(self) -> list[Form]:
        parser = _FormParser()
        parser.feed(self.html)
        return parser.forms


class UserAgent:
    """Follows redirects, but stops before one that leads to `app`, which need not run."""

    def __init__(self, app: str) -> None:
        self._app = app
        self.http = httpx.Client(trust_env=False)
        self.times_asked = 0  # for a name or a password

    def close(self) -> None:
        """End the connections."""
        self.http.close()

    def visit(self, url: str) -> Page:
        """GET it, unless it is the app's."""
        return Page(url) if url.startswith(self._app) else self._arrive(self.http.get(url))

    def submit(self, page: Page, **fields: str) -> Page:
        """Send the first form of the page with these values in addition to its own."""
        form = page.form()
        data = {**form.fields, **fields}
        return self._arrive(
            self.http.request(form.method.upper(), urljoin(page.url, form.action), data=data)
        )

    def _arrive(self, response: httpx.Response) -> Page:
        while response.next_request is not None:
            target = str(response.next_request.url)
            if target.startswith(self._app):
                return Page(target, status=response.status_code)
            response = self.http.send(response.next_request)
        return Page(str(response.url), response.text, response.status_code)


class _FormParser(HTMLParser):
    """Collects the forms with the inputs that stand in them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(named.get("action", ""), named.get("method", "get")))
        elif tag == "input" and self.forms and named.get("name"):
            self.forms[-1].fields[named["name"]] = named.get("value", "")
