"""States that load something from an API for the user, with and without a loader."""

import os

import httpx
import reflex as rx

from .auth import AuthError
from .setting import auth

API = os.environ["ACCESS_API"]


async def load_note(http, user):
    return (await http.get(f"{API}/note/{user['sub']}")).raise_for_status().text


class Loading(rx.State):
    note: str = ""

    @auth.on_user_change(prefetch=load_note)
    async def show(self, user, load):
        if user is None:
            return
        try:
            note = await load()
        except (AuthError, httpx.HTTPError) as error:
            note = f"{type(error).__name__} {getattr(error, 'login_url', '')}"
        async with self:
            self.note = note

    @rx.event(background=True)
    async def change(self):
        await auth.user_changed(self)


class Plain(rx.State):
    @auth.on_user_change
    async def show(self, user):
        if user is not None:
            async with auth.http_client(self) as http:
                await http.get(f"{API}/plain/{user['sub']}")
