"""Which backends a Hub is made of: chosen by the configuration, imported when chosen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox_tui.backends.base import Backend
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.refs import Kind, Place

if TYPE_CHECKING:
    from sandbox_tui.settings.schema import Config


@contextlib.asynccontextmanager
async def machine_hub(kinds: Collection[Kind] | None, cwd: Path | None) -> AsyncGenerator[Hub]:
    """A Hub over this machine, as its configuration says."""
    from sandbox_tui.settings.load import load

    loaded = await asyncio.to_thread(load, cwd)
    wanted = frozenset(kinds if kinds is not None else Kind)
    yield Hub(
        backends(loaded.config, wanted),
        definitions={ref: spec for ref, spec in loaded.definitions.items() if ref.kind in wanted},
        intervals={kind: getattr(loaded.config.refresh, kind) for kind in Kind},
    )


@contextlib.asynccontextmanager
async def demo_hub() -> AsyncGenerator[Hub]:
    """A Hub over the built-in story, which goes on for as long as the block lasts."""
    from sandbox_tui.backends.memory.story import Story

    story = Story()
    await story.begin()
    telling = asyncio.create_task(story.tell(), name="story")
    try:
        yield Hub(story.backends)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


def backends(config: Config, kinds: Collection[Kind]) -> Iterator[Backend]:
    """The backends of these kinds; a kind may have several places."""
    if Kind.TMUX in kinds:
        yield from _tmux(config)
    if Kind.CONTAINER in kinds:
        yield from _containers(config)
    if Kind.ROOM in kinds:
        yield from _rooms()


def _tmux(config: Config) -> Iterator[Backend]:
    from sandbox_tui.backends.tmux.backend import TmuxBackend

    for socket in config.backends.tmux.sockets:
        where = "" if socket == "default" else socket
        yield TmuxBackend(where, binary=config.backends.tmux.binary)


def _containers(config: Config) -> Iterator[Backend]:
    from sandbox_tui.backends.containers.backend import ContainerBackend

    for host in config.backends.container.hosts:
        if host == "local":
            yield ContainerBackend(config.backends.container.runtime or "")
        else:
            yield ContainerBackend(host, where=urlsplit(host).hostname or host)


def _rooms() -> Iterator[Backend]:
    from sandbox_tui.api.mounted import MountedBackend
    from sandbox_tui.backends.kernels.foreign import ForeignKernels

    yield MountedBackend(Place(Kind.ROOM))
    yield ForeignKernels()
