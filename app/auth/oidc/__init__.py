"""The OpenID Connect protocol of a relying party. It uses no web framework."""
