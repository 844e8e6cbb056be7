"""The Reflex side of the auth layer: states, event middleware, guards, subscriptions."""
