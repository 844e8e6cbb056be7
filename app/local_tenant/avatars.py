"""Pictures of the users, drawn as SVG, so that the tenant works offline."""

from __future__ import annotations

import hashlib
from html import escape

from starlette.requests import Request
from starlette.responses import Response


def avatar(request: Request) -> Response:
    """A circle with an initial, in a colour derived from the name."""
    name = request.path_params["name"]
    hue = int(hashlib.sha256(name.encode()).hexdigest()[:4], 16) % 360
    initial = escape(name[:1].upper())
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">'
        f'<rect width="96" height="96" fill="hsl({hue} 55% 45%)"/>'
        '<text x="48" y="63" font-family="system-ui,sans-serif" font-size="42" fill="#fff" '
        f'text-anchor="middle">{initial}</text></svg>'
    )
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})
