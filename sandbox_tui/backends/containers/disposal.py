"""Removes a container when the program ends: no loop, no new thread, no connection that is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.model.errors import NotFoundError
from sandbox_tui.model.refs import Kind, Place, Ref

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.endpoint import Endpoint

PATIENCE = 3
"""How long the engine may take for an answer, in seconds."""


def disposal(place: Place, endpoint: Endpoint | None, container_id: str) -> Callable[[], None]:
    """The call that removes it. Raises `SandboxError`s, but not for one that is gone."""

    def dispose() -> None:
        from sandbox_tui.backends.containers.engine.engine import Engine

        if endpoint is None:  # nothing was ever made there
            return
        engine = Engine(place, endpoint, PATIENCE)
        ref = Ref.make(Kind.CONTAINER, container_id, place.where)
        try:
            engine.remove(Box(ref, container_id, "running"), force=True)
        except NotFoundError:
            return
        finally:
            engine.close()

    return dispose
