"""The auth layer's Reflex side: the state pages read, the binding, the guard, the subscription."""
