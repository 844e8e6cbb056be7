"""OpenID Connect, as a relying party speaks it. No web framework in here."""
