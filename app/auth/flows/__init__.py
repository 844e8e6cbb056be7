"""The flows of the auth layer, without a web framework: login, logout, refresh."""
