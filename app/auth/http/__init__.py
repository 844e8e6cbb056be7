"""The auth layer's HTTP side: Starlette routes under `/auth/` and the ASGI gate."""
