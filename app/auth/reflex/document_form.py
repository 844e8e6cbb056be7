"""A form that the browser submits itself; Reflex's own form never leaves the page."""

from __future__ import annotations

import reflex as rx


class DocumentForm(rx.Component):
    """A plain `<form>`: submitting it is a document navigation."""

    tag = "form"
    _is_tag_in_global_scope = True

    action: rx.Var[str]
    method: rx.Var[str]
