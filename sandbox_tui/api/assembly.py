"""Which backends a Hub is made of: chosen by the configuration, imported when chosen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox_tui.backends.base import Backend
from sandbox_tui.hub.homes import Homes
from sandbox_tui.hub.hub import INTERVALS, Hub
from sandbox_tui.hub.profiles import Profiles
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import Spec
from sandbox_tui.runtime.beside import beside

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.local import Engines
    from sandbox_tui.backends.memory.story import Story
    from sandbox_tui.settings.schema import Config


@contextlib.asynccontextmanager
async def machine_hub(kinds: Collection[Kind] | None, cwd: Path | None) -> AsyncGenerator[Hub]:
    """A Hub over this machine, as its configuration says."""
    from sandbox_tui.settings.load import load

    loaded = await asyncio.to_thread(load, cwd)
    wanted = frozenset(kinds if kinds is not None else Kind)
    yield await hub_of(
        loaded.config,
        wanted,
        definitions={ref: spec for ref, spec in loaded.definitions.items() if ref.kind in wanted},
        intervals={kind: getattr(loaded.config.refresh, kind) for kind in Kind},
    )


async def hub_of(
    config: Config,
    kinds: Collection[Kind],
    *,
    definitions: Mapping[Ref, Spec] | None = None,
    intervals: Mapping[Kind, float] = INTERVALS,
) -> Hub:
    """A Hub over what this machine has of these kinds."""
    places: list[Backend] = []
    means: dict[Place, Place] = {}
    if Kind.TMUX in kinds:
        places += await _terminals(config)
        means[Place(Kind.TMUX, "default")] = Place(Kind.TMUX)
    if Kind.CONTAINER in kinds:
        engines = await _engines(config)
        places += _containers(config, engines)
        means |= {_container(said): _container(meant) for said, meant in engines.means.items()}
    if Kind.ROOM in kinds:
        places += await _rooms(config)
    homes = Homes(means=means, open=lambda place: _opened(config, kinds, place))
    return Hub(
        places,
        definitions=definitions,
        homes=homes,
        profiles=Profiles(config.profiles),
        intervals=intervals,
    )


def engine_hub(config: Config, address: str, *, intervals: Mapping[Kind, float] = INTERVALS) -> Hub:
    """A Hub over the one engine at `address`, and over no other."""
    from sandbox_tui.backends.containers.backend import ContainerBackend

    profiles = Profiles(config.profiles)
    return Hub([ContainerBackend(address)], profiles=profiles, intervals=intervals)


@contextlib.asynccontextmanager
async def demo_hub() -> AsyncGenerator[Hub]:
    """A Hub over the built-in story, which goes on for as long as the block lasts."""
    story = (await asyncio.to_thread(_story))()
    await story.begin()
    async with beside(story.tell(), "story"):
        yield Hub(story.backends)


def _story() -> type[Story]:
    """Imported in a thread: documents bring a library that reads files when it is loaded."""
    from sandbox_tui.backends.memory.story import Story

    return Story


async def _terminals(config: Config) -> list[Backend]:
    """The servers that the configuration names, and every other one that listens."""
    from sandbox_tui.backends.tmux.backend import TmuxBackend
    from sandbox_tui.backends.tmux.sockets import DEFAULT, live_sockets

    named = ["" if name == DEFAULT else name for name in config.backends.tmux.sockets]
    sockets = dict.fromkeys([*named, *await asyncio.to_thread(live_sockets)])
    return [TmuxBackend(name, binary=config.backends.tmux.binary) for name in sockets]


async def _engines(config: Config) -> Engines:
    from sandbox_tui.backends.containers.engine.local import engines, one

    runtime = config.backends.container.runtime
    return one(runtime) if runtime is not None else await asyncio.to_thread(engines)


def _containers(config: Config, engines: Engines) -> Iterator[Backend]:
    from sandbox_tui.backends.containers.backend import ContainerBackend

    for host in config.backends.container.hosts:
        if host != "local":
            yield ContainerBackend(host, where=urlsplit(host).hostname or host)
            continue
        for where, address in engines.addresses.items():
            yield ContainerBackend(address, where=where)


async def _rooms(config: Config) -> list[Backend]:
    """Rooms of the daemon, kernels of this machine, and those of each Jupyter server."""
    from sandbox_tui.api.mounted import MountedBackend
    from sandbox_tui.backends.kernels.foreign.address import servers
    from sandbox_tui.backends.kernels.foreign.backend import ForeignKernels
    from sandbox_tui.backends.kernels.foreign.connection_files import ConnectionFiles
    from sandbox_tui.backends.kernels.foreign.server import JupyterServer

    addresses = await asyncio.to_thread(servers, config.backends.room.servers)
    sources = [ConnectionFiles(), *map(JupyterServer, addresses)]
    return [MountedBackend(Place(Kind.ROOM)), *map(ForeignKernels, sources)]


def _opened(config: Config, kinds: Collection[Kind], place: Place) -> Backend | None:
    """A tmux server that is not there yet, or an engine that did not listen at first."""
    if place.kind not in kinds:
        return None
    if place.kind is Kind.TMUX and "/" not in place.where:
        from sandbox_tui.backends.tmux.backend import TmuxBackend

        return TmuxBackend(place.where, binary=config.backends.tmux.binary)
    if place.kind is Kind.CONTAINER and place.where in ("docker", "podman"):
        from sandbox_tui.backends.containers.backend import ContainerBackend

        return ContainerBackend(place.where, where=place.where)
    return None


def _container(where: str) -> Place:
    return Place(Kind.CONTAINER, where)
