"""Logins at a provider that lies: each ends in a session or in a typed error, and none in both."""
