"""Starts events from the backend, and names the tree that a state belongs to."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars

import reflex as rx
from reflex.event import Event
from reflex.state import BaseState
from reflex_base.event.processor.event_processor import QueueShutDown


def tree_of(state: BaseState) -> str:
    """The name of the state tree that a state is part of. (Reflex calls it the client token.)"""
    token: str = state.rx_router_session.client_token
    return token


async def start_event(app: rx.App, tree: str, event: Event) -> None:
    """Enqueue an event for a state tree, independent of the event that is running now.

    As its child, the new event would be cancelled with it, and a handler that supersedes its older
    runs would take it for as old as its parent. Hence the empty context. An app that is stopping
    ignores the event.
    """

    async def enqueue() -> None:
        with app.set_contexts(), contextlib.suppress(RuntimeError, QueueShutDown):
            await app.event_processor.enqueue(tree, event)

    await asyncio.create_task(enqueue(), context=contextvars.Context())
