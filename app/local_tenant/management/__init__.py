"""The Management API v2, as far as the dashboard and Auth0's clients use it."""
