"""What the values of a spec may look like, and how long they may be.

One home for every surface: files, the command line and the APIs all end here. Patterns are
anchored at both ends (`fullmatch`), so that a trailing newline is refused like any other sign that
does not belong. What only one engine minds is that backend's own to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.mounts import parse_mount
from sandbox_tui.model.ports import parse_ports
from sandbox_tui.model.specs import Command, Spec

NAME = 255
IMAGE = 512
PATH = 4096
COMMAND = 32 * 1024
KEY = 256
VALUE = 32 * 1024
"""Characters in a name, an image, a path, a command, and in a variable's name and value."""

ENTRIES = 512
"""Volumes, ports, labels or variables of one sandbox."""

_CONTROL = r"\x00-\x1f\x7f-\x9f"
_NAME = re.compile(rf"[^{_CONTROL}]+")
_WORD = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._+-]*")
_SOCKET = re.compile(rf"[^/:{_CONTROL}]+")
_KEY = re.compile(rf"[^=\s{_CONTROL}]+")
_PATH = re.compile(rf"[^{_CONTROL}]+")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_IMAGE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?"
    r"(?:@[a-zA-Z][a-zA-Z0-9+._-]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)


def check(spec: Spec) -> None:
    """Raise `InvalidSpecError` for a value that no backend should be given."""
    _name(spec.name)
    for field in spec.__struct_fields__:
        value = getattr(spec, field)
        if value and field in _CHECKS:
            _CHECKS[field](value)


def _like(field: str, pattern: re.Pattern[str], longest: int, form: str) -> Callable[[str], None]:
    """A check of one text."""

    def check_text(text: str) -> None:
        if len(text) > longest:
            raise InvalidSpecError(field, f"it has {len(text)} characters, {longest} are allowed")
        if not pattern.fullmatch(text):
            raise InvalidSpecError(field, f"{text!r} is not {form}")

    return check_text


def _each(field: str, check_one: Callable[[str], object]) -> Callable[[tuple[str, ...]], None]:
    """A check of every text in a row."""

    def check_row(row: tuple[str, ...]) -> None:
        _must_be_few(field, len(row))
        for text in row:
            check_one(text)

    return check_row


def _pairs(field: str) -> Callable[[Mapping[str, str]], None]:
    """A check of names and their values."""
    check_key = _like(field, _KEY, KEY, "a name: no space, no = and no control character")

    def check_pairs(pairs: Mapping[str, str]) -> None:
        _must_be_few(field, len(pairs))
        for key, value in pairs.items():
            check_key(key)
            if len(value) > VALUE:
                raise InvalidSpecError(field, f"{key} has more than {VALUE} characters")
            if "\0" in value:
                raise InvalidSpecError(field, f"there is a NUL character in {key}")

    return check_pairs


def _command(command: Command) -> None:
    words = (command,) if isinstance(command, str) else command
    if sum(map(len, words)) > COMMAND:
        raise InvalidSpecError("command", f"it has more than {COMMAND} characters")
    if not words[0].strip():
        raise InvalidSpecError("command", "it is empty; leave it out for the usual one")
    if any("\0" in word for word in words):
        raise InvalidSpecError("command", "there is a NUL character in it")


def _must_be_few(field: str, number: int) -> None:
    if number > ENTRIES:
        raise InvalidSpecError(field, f"there are {number}, {ENTRIES} are allowed")


_name = _like("name", _NAME, NAME, "a name: one line without control characters")

_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "command": _command,
    "image": _like("image", _IMAGE, IMAGE, "an image: [HOST[:PORT]/]PATH[:TAG][@DIGEST]"),
    "volumes": _each("volumes", parse_mount),
    "log_volume": parse_mount,
    "ports": _each("ports", parse_ports),
    "env": _pairs("env"),
    "labels": _pairs("labels"),
    "working_dir": _like("working_dir", _PATH, PATH, "a folder: one line"),
    "socket": _like("socket", _SOCKET, NAME, "the name of a socket: no slash, no colon"),
    "runtime": _like("runtime", _WORD, NAME, "the name of an engine"),
    "kernel": _like("kernel", _NAME, NAME, "the name of a kernel"),
}
