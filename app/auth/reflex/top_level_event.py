"""Starting an event from the backend, as an event of its own."""

from __future__ import annotations

import dataclasses

import reflex as rx
from reflex.event import Event
from reflex_base.event.context import EventContext


async def start_event(app: rx.App, client_token: str, event: Event) -> None:
    """Enqueue `event` for a tab, as no part of the event that may be under way.

    A part would be cancelled with the whole, and a handler that supersedes its older runs would
    take it for as old as the whole. In another tab it would also take that tab for this one: an
    event brings the connection it came by along, and with it the session.
    """
    if app._event_processor is None:
        return
    try:
        current = EventContext.get()
    except LookupError:
        await app.event_processor.enqueue(client_token, event)
        return
    context = dataclasses.replace(
        current.fork(token=client_token),
        parent_txid=None,
        router_data=current.router_data if current.token == client_token else {},
    )
    await app.event_processor.enqueue(client_token, event, context)
