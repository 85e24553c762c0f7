"""An ability that a backend has, it has as its protocol says: callers ask by `isinstance` only."""

from __future__ import annotations

import inspect

import pytest

from sandbox_tui.api.mounted import MountedBackend
from sandbox_tui.backends import base, sharing, upkeep
from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.backends.kernels.foreign.backend import ForeignKernels
from sandbox_tui.backends.memory.kinds import MemoryContainers, MemoryTerminals
from sandbox_tui.backends.memory.rooms import MemoryRooms
from sandbox_tui.backends.tmux.backend import TmuxBackend
from sandbox_tui.hub.rooms import RoomsBackend

BACKENDS: tuple[type, ...] = (
    ContainerBackend,
    ForeignKernels,
    MemoryContainers,
    MemoryRooms,
    MemoryTerminals,
    MountedBackend,
    RoomsBackend,
    TmuxBackend,
)


def abilities() -> list[type]:
    return [
        thing
        for module in (base, sharing, upkeep)
        for thing in vars(module).values()
        if getattr(thing, "_is_protocol", False) and thing.__module__ == module.__name__
    ]


def methods(ability: type) -> list[str]:
    return [
        name
        for name, thing in vars(ability).items()
        if inspect.isfunction(thing) and name[0] != "_"
    ]


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.__name__)
@pytest.mark.parametrize("ability", abilities(), ids=lambda ability: ability.__name__)
def test_a_backend_is_called_as_the_protocol_says(backend: type, ability: type) -> None:
    names = methods(ability)
    if not all(hasattr(backend, name) for name in names):
        return
    for name in names:
        wanted = inspect.signature(getattr(ability, name)).parameters.values()
        has = inspect.signature(getattr(backend, name)).parameters
        for parameter in wanted:
            own = has[parameter.name]
            assert (own.kind, own.default) == (parameter.kind, parameter.default)
