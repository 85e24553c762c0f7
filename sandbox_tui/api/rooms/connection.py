"""One client's way to one room of the daemon: made on demand, and told apart when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.room import Room  # with its library: not first on the event loop
from sandbox_tui.api.rooms.errors import RoomError
from sandbox_tui.model.actions import OpenRoom
from sandbox_tui.model.errors import NotFoundError, SandboxError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import RoomFacts, Sandbox

NOT_CONNECTED = "not connected"

CATCH_UP = 1.0
"""Longest wait for news that are on their way, in seconds."""


class Connection:
    """See the module."""

    def __init__(self, ref: Ref, name: str) -> None:
        self._ref = ref
        self._name = name
        self._api: RemoteApi | None = None
        self._room: Room | None = None
        self._opening = asyncio.Lock()

    @property
    def alive(self) -> bool:
        """Whether the room is open here and the daemon there."""
        return self._room is not None and self._room.lost is None

    @property
    def room(self) -> Room:
        """The room. Raises `RoomError` when it is not open."""
        if self._room is None:
            raise RoomError(NOT_CONNECTED, hint="Call connect() or start_kernel() first.")
        if (lost := self._room.lost) is not None:
            raise RoomError(f"{NOT_CONNECTED}: {lost.message}", hint="Call connect() again.")
        return self._room

    @property
    def box(self) -> Sandbox | None:
        """The room's row in the daemon's world."""
        return self._api.world.get(self._ref) if self._api is not None else None

    @property
    def facts(self) -> RoomFacts:
        """What the daemon knows of the room."""
        box = self.box
        return box.facts if box is not None and isinstance(box.facts, RoomFacts) else RoomFacts()

    async def open(self, notebook: str | None = None) -> Room:
        """The room, connected to when it is not; a new one when there is none of that name.

        With `notebook`, a file with its whole path, it is the room that holds that file.
        """
        async with self._opening:
            if not self.alive:
                await self._drop()
                await self._open(notebook)
            elif notebook is not None and self._api is not None:
                await self._have(self._api, notebook)
            return self.room

    async def without_kernel(self) -> None:
        """Until the daemon's news say that the kernel is gone; they follow within milliseconds."""
        if self._api is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CATCH_UP):
                    async for _ in self._api.worlds():
                        if self.box is None or not self.box.state.is_live:
                            return

    async def close(self, *, stop_kernel_if_last: bool = False) -> None:
        """Leave the room and hang up; a daemon that is gone is left already."""
        room, self._room = self._room, None
        try:
            if room is not None and room.lost is None:
                await room.leave(stop_kernel_if_last=stop_kernel_if_last)
        except SandboxError:
            if room is not None and room.lost is None:
                raise
        finally:
            await self._drop()

    async def _open(self, notebook: str | None) -> None:
        api = self._api = await RemoteApi.connect(start=True)
        try:
            room = await self._enter(api, notebook)
        except BaseException:
            await self._drop()
            raise
        self._room = room
        await room.announce(self._name)

    async def _enter(self, api: RemoteApi, notebook: str | None) -> Room:
        if notebook is None and self.box is not None:
            with contextlib.suppress(NotFoundError):  # it has just been removed
                return await api.room(self._ref)
        await self._have(api, notebook)
        return await api.room(self._ref)

    async def _have(self, api: RemoteApi, notebook: str | None) -> None:
        folder = str(await asyncio.to_thread(Path.cwd))
        await api.perform(OpenRoom(ref=self._ref, working_dir=folder, notebook=notebook))

    async def _drop(self) -> None:
        room, self._room = self._room, None
        api, self._api = self._api, None
        if room is not None:
            await room.aclose()
        if api is not None:
            await api.aclose()
