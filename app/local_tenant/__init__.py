"""DEVELOPMENT ONLY: an OpenID provider with a Management API that stands in for a tenant.

It runs as a process of its own (`python -m reflex_oidc_tenant`; in this
project `python -m app.local_tenant`), on a loopback address. It shares no
code with the auth layer, so that a bug cannot be on both sides of a test and go unnoticed.
"""
