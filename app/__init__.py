"""Call an API: a Reflex app that logs a user in and shows their metadata.

This module imports nothing, so that `app.auth` can be imported alone and `app.local_tenant` needs
no Reflex.
"""
