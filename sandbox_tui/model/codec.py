"""JSON, MessagePack and plain values of the model; the one place that teaches msgspec a `Ref`."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from sandbox_tui.model.refs import Ref

T = TypeVar("T")


def _to_plain(value: object) -> object:
    if isinstance(value, Ref):
        return str(value)
    raise NotImplementedError(f"no encoding for {type(value).__name__}")


def _from_plain(wanted: type, value: Any) -> object:
    if wanted is Ref:
        if not isinstance(value, str):
            raise TypeError("Expected `str`")
        return Ref(value)
    if wanted is object:
        return value
    raise NotImplementedError(f"no decoding for {wanted.__name__}")


def to_json(value: object) -> bytes:
    """One line of JSON, UTF-8."""
    return msgspec.json.encode(value, enc_hook=_to_plain)


def from_json(data: bytes | str, wanted: type[T]) -> T:
    """Decode and check; raises `msgspec.ValidationError` with the path of what is wrong."""
    return msgspec.json.decode(data, type=wanted, dec_hook=_from_plain)


def to_msgpack(value: object) -> bytes:
    """MessagePack bytes, for the daemon's socket."""
    return msgspec.msgpack.encode(value, enc_hook=_to_plain)


def from_msgpack(data: bytes, wanted: type[T]) -> T:
    """Decode and check; raises `msgspec.ValidationError` with the path of what is wrong."""
    return msgspec.msgpack.decode(data, type=wanted, dec_hook=_from_plain)


def to_builtins(value: object) -> Any:
    """Dicts, lists, strings and numbers only."""
    return msgspec.to_builtins(value, enc_hook=_to_plain)


def convert(value: object, wanted: type[T], *, strict: bool = True) -> T:
    """Build `wanted` from plain values; `strict=False` also reads numbers out of strings."""
    return msgspec.convert(value, wanted, dec_hook=_from_plain, strict=strict)
