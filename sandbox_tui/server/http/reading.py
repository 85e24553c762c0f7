"""Reading a request: its body as a value of the model, and which sandbox it means."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from fastapi import Request, Response

from sandbox_tui.model.codec import from_json, to_json
from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.refs import Kind, Ref, resolve
from sandbox_tui.model.world import Sandbox, World

T = TypeVar("T")


async def read(request: Request, wanted: type[T]) -> T:
    """The body as one of those; without one, what has no value has its default.

    Raises `UsageError` that names the path of what is wrong.
    """
    try:
        return from_json(await request.body() or b"{}", wanted)
    except msgspec.DecodeError as error:  # also of the right JSON with the wrong values
        raise UsageError(f"the body is not what is wanted: {error}", hint="Read /docs.") from None
    except UnicodeDecodeError:
        raise UsageError("the body is not UTF-8", hint="Encode it as UTF-8.") from None


def found(world: World, name: str, kind: Kind | None = None) -> Sandbox:
    """The sandbox of that full or bare name. Raises `NotFoundError`, `AmbiguousNameError`."""
    ref = resolve(name, (box.ref for box in world.sandboxes), kind)
    box = world.get(ref)
    assert box is not None  # it was found in this very world
    return box


def room(world: World, name: str) -> Ref:
    """The room of that name."""
    return found(world, name, Kind.ROOM).ref


def as_json(value: object, status: int = 200) -> Response:
    """A value of the model as a response."""
    return Response(to_json(value), status, media_type="application/json")
