"""The agreement between the gate, which writes it, and the binding, which reads it."""

SCOPE_KEY = "auth.session_reference"
"""Key of the ASGI scope under which a connection's session reference stands (a str or None)."""
