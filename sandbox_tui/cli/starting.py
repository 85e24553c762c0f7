"""Which backend a `start` needs: the others are not even asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sandbox_tui.cli.frame import Frame
from sandbox_tui.cli.names import kind_in, refuse_broken
from sandbox_tui.model.errors import NotFoundError
from sandbox_tui.model.refs import Kind, resolve


async def kind_to_start(frame: Frame, name: str, said: Mapping[str, object]) -> Kind | None:
    """The kind that starting `name` makes; `None` when only the backends themselves can tell.

    Raises `ConfigError` when the entry of that name is faulty.
    """
    defined = None if frame.demo else await _defined_kind(name)
    if frame.kind is not None:
        return frame.kind
    if "image" in said or "profile" in said:
        return Kind.CONTAINER
    if "kernel" in said:
        return Kind.ROOM
    told = defined or kind_in(name)
    return told or (Kind.TMUX if "command" in said else None)


async def _defined_kind(name: str) -> Kind | None:
    from sandbox_tui.settings.load import load

    loaded = await asyncio.to_thread(load)
    refuse_broken(loaded, name)
    try:
        return resolve(name, loaded.definitions).kind
    except NotFoundError:
        return None
