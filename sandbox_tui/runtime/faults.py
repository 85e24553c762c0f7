"""Errors as data: what is raised on one side of a stream is raised again on the other."""

from __future__ import annotations

from typing import TypeGuard, cast

import msgspec

from sandbox_tui.model import errors
from sandbox_tui.model.errors import SandboxError

Datum = str | int | float | bool | tuple[str, ...] | None


class Fault(msgspec.Struct, frozen=True):
    """One `SandboxError`: its class by name, its words, and the data it carries."""

    error: str
    message: str
    hint: str = ""
    data: dict[str, Datum] = {}


def fault_of(error: SandboxError) -> Fault:
    """`error` as data; a class from outside `model.errors` becomes its nearest base there."""
    ours = next(base for base in type(error).__mro__ if base.__module__ == errors.__name__)
    data = {name: _plain(value) for name, value in vars(error).items() if _is_datum(value)}
    message, hint = str(data.pop("message", "")), str(data.pop("hint", ""))
    return Fault(ours.__name__, message, hint, data)


def error_of(fault: Fault) -> SandboxError:
    """The error again; one that this version does not know is a plain `SandboxError`."""
    kind = _class(fault.error)
    error = kind.__new__(kind)
    SandboxError.__init__(error, fault.message, hint=fault.hint)
    vars(error).update(fault.data)
    return error


def _class(name: str) -> type[SandboxError]:
    known: object = getattr(errors, name, None)
    if isinstance(known, type) and issubclass(known, SandboxError):
        return known
    return SandboxError


def _is_datum(value: object) -> TypeGuard[Datum]:
    if isinstance(value, tuple):
        return all(isinstance(item, str) for item in cast("tuple[object, ...]", value))
    return value is None or isinstance(value, str | int | float)


def _plain(value: Datum) -> Datum:
    """Without what a subclass of `str` adds: a ref is its text."""
    if isinstance(value, tuple):
        return tuple(str(item) for item in value)
    return str(value) if isinstance(value, str) else value
