"""Logins at OpenID providers that others wrote."""
