"""The names of the app's cookies."""

from __future__ import annotations

from urllib.parse import urlsplit


def session_cookie(app_base_url: str) -> str:
    """That of the session. It has the port in it: browsers send a cookie to every port of a host,
    and apps on one machine would log each other out."""
    return f"auth_session_{urlsplit(app_base_url).port}"


def browser_cookie(app_base_url: str) -> str:
    """That by which the tabs of a browser are known as one browser's."""
    return f"auth_browser_{urlsplit(app_base_url).port}"
