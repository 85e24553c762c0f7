"""From what was typed to the sandbox that is meant, and to the backends that must be asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection
from typing import TYPE_CHECKING

from sandbox_tui.cli.diagnostics import warn
from sandbox_tui.cli.frame import Frame
from sandbox_tui.model.errors import BackendUnavailableError, NotFoundError
from sandbox_tui.model.refs import Kind, Ref, resolve
from sandbox_tui.model.world import Health, World

if TYPE_CHECKING:
    from sandbox_tui.api.base import Api
    from sandbox_tui.settings.load import Loaded

SETTLING = 6.0
"""How long to wait for every backend, in seconds: a little longer than their own deadline."""


@contextlib.asynccontextmanager
async def machine(frame: Frame, *names: str) -> AsyncGenerator[Api]:
    """An Api over the backends that these names may live in, all of which have answered."""
    from sandbox_tui.api.client import connect

    async with connect(kinds=kinds_of(frame, *names), demo=frame.demo) as api:
        await api.settled(SETTLING)
        yield api


def kinds_of(frame: Frame, *names: str) -> frozenset[Kind]:
    """Which kinds must be asked: a full name tells, a bare one may be of any."""
    if frame.kind is not None:
        return frozenset({frame.kind})
    told = [kind_in(name) for name in names]
    known = frozenset(kind for kind in told if kind is not None)
    return known if known and None not in told else frozenset(Kind)


def kind_in(name: str) -> Kind | None:
    """The kind that a full name begins with."""
    prefix, colon, _ = name.partition(":")
    return Kind(prefix) if colon and prefix in frozenset(Kind) else None


async def find(frame: Frame, world: World, name: str) -> Ref:
    """The sandbox that was meant. Raises what helps most when there is none.

    A faulty entry in the configuration or a backend that does not answer is the better reason.
    """
    try:
        return resolve(name, (box.ref for box in world.sandboxes if frame.means(box)), frame.kind)
    except NotFoundError as error:
        await _blame(frame, world, name)
        if frame.kind is not None and kind_in(name) is None:  # another kind may well have one
            raise NotFoundError(f"{frame.kind}:{name}", error.known) from None
        raise


def health_of(world: World, kinds: Collection[Kind]) -> list[Health]:
    """How the backends of these kinds are, also of those that have said nothing in time."""
    spoken = [health for health in world.health if health.kind in kinds]
    silent = [kind for kind in Kind if kind in kinds and all(h.kind is not kind for h in spoken)]
    unanswered = (Health(place=kind.value, ok=False, detail="no answer in time") for kind in silent)
    return [*spoken, *unanswered]


def told(health: Health) -> str:
    """A backend that does not answer, or not as it should, in one line."""
    return f"{health.place}: {health.detail}" + (f" ({health.hint})" if health.hint else "")


def refuse_broken(loaded: Loaded, name: str) -> None:
    """Raise the `ConfigError` of the entry that this name means, if it has one."""
    error = loaded.broken.get(name) or loaded.broken.get(name.partition(":")[2])
    if error is not None:
        raise error


async def _blame(frame: Frame, world: World, name: str) -> None:
    if not frame.demo:
        from sandbox_tui.settings.load import load

        refuse_broken(await asyncio.to_thread(load), name)
    down = [health for health in health_of(world, kinds_of(frame, name)) if not health.ok]
    if down and (frame.kind or kind_in(name)):
        raise BackendUnavailableError(down[0].place, down[0].detail, hint=down[0].hint)
    for health in down:
        warn(told(health))
