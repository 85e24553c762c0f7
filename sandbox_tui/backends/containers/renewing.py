"""A container made anew from its own spec, under its own name.

The new one is made first, so that an image that is gone or a spec that the engine refuses costs
nothing. It cannot be started beside the old one, because both may publish the same port; so the old
one is stopped, and is started again when the new one does not start. It goes last.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sandbox_tui.backends.containers.create import container_config
from sandbox_tui.backends.containers.engine import faults
from sandbox_tui.backends.containers.engine.replies import Box, Made
from sandbox_tui.backends.containers.labels import spec_from
from sandbox_tui.model.errors import ConflictError, SandboxError
from sandbox_tui.model.specs import ContainerSpec

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine


class _Config(msgspec.Struct, rename="pascal"):
    labels: dict[str, str] | None = None
    env: list[str] | None = None


class _Inspected(msgspec.Struct, rename="pascal"):
    config: _Config


def renew(engine: Engine, box: Box, grace: float) -> None:
    """Replace `box` by a new one. On failure the old one is as it was.

    Raises `ConflictError` for one that was not made by this program.
    """
    fresh = _create(engine, box, container_config(_spec(engine, box), Path.cwd()))
    try:
        engine.stop(box, grace)
        _swap(engine, box, fresh)
    except SandboxError:
        with contextlib.suppress(SandboxError):  # the failure itself is what is told
            engine.remove(fresh, force=True)
        _restore(engine, box)
        raise
    engine.remove(box, force=True)


def _spec(engine: Engine, box: Box) -> ContainerSpec:
    told = msgspec.convert(engine.inspect_all(box), _Inspected).config
    env = dict(text.split("=", 1) for text in told.env or () if "=" in text)
    spec = spec_from(told.labels or {}, env, box.ref.name)
    if spec is None:
        hint = "Restart it as it is, or make it anew with the program that made it."
        raise ConflictError(f"{box.ref} was not made by this program", hint=hint)
    return spec


def _create(engine: Engine, box: Box, config: Mapping[str, object]) -> Box:
    name = f"{box.ref.name}.new-{os.urandom(3).hex()}"
    raw = engine.order(
        "POST", "/containers/create", {"name": name}, body=config, ref=box.ref, verb=faults.CREATE
    )
    with engine.talking():
        return Box(box.ref, msgspec.json.decode(raw, type=Made).id, "created")


def _swap(engine: Engine, box: Box, fresh: Box) -> None:
    """Let `fresh` run under the name of `box`."""
    _tell(engine, fresh, "start")
    _tell(engine, box, "rename", {"name": f"{box.ref.name}.old-{os.urandom(3).hex()}"})
    _tell(engine, fresh, "rename", {"name": box.ref.name})


def _restore(engine: Engine, box: Box) -> None:
    """Let `box` have its name and run again, as far as it does not yet."""
    with contextlib.suppress(SandboxError):
        _tell(engine, box, "rename", {"name": box.ref.name})
    if box.state == "running":
        with contextlib.suppress(SandboxError):
            _tell(engine, box, "start")


def _tell(engine: Engine, box: Box, word: str, params: Mapping[str, str] | None = None) -> None:
    path = f"/containers/{box.id}/{word}"
    engine.order("POST", path, params or {}, ref=box.ref, verb="make anew")
