"""The one error of this face, and the door where the errors of a room become it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, ParamSpec, TypeVar

from sandbox_tui.model.errors import SandboxError

P = ParamSpec("P")
T = TypeVar("T")


class RoomError(SandboxError):
    """Whatever could not be done with a room; code that fails is a result, not an error."""


@contextlib.contextmanager
def room_errors() -> Generator[None]:
    """Raise what is raised inside as a `RoomError` with the same words."""
    try:
        yield
    except RoomError:
        raise
    except SandboxError as error:
        raise RoomError(error.message, hint=error.hint) from error


def spoken(
    method: Callable[P, Awaitable[T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """The same coroutine function, of which every error is a `RoomError`."""

    @functools.wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with room_errors():
            return await method(*args, **kwargs)

    return call
