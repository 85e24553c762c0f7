"""Jupyter messages as events: what a kernel said on iopub, in the words of the model.

Pure functions over message contents (https://jupyter-client.readthedocs.io, "Messaging"), so that
they can be tested without a kernel.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Text
from sandbox_tui.model.room import Completion

PIECE = 64 * 1024
"""Longest text of one output, in characters: a ring of outputs drops whole pieces."""

_SAME_NAMES = {"_IncompleteInputError": "SyntaxError"}
"""CPython 3.13.0 names a private subclass for an unfinished block."""


class Message(NamedTuple):
    """One message from a kernel, with its content still packed: few are ever looked into."""

    channel: str
    """`shell`, `control`, `stdin` or `iopub`."""
    kind: str
    """The message type, as `stream`."""
    parent: str
    """Id of the request that caused it; empty when none did."""
    packed: bytes


class Header(msgspec.Struct):
    """What is looked at of a message's header."""

    msg_type: str


class Parent(msgspec.Struct):
    """What is looked at of the header of the request that caused a message."""

    msg_id: str = ""


class Began(msgspec.Struct, frozen=True):
    """The kernel took up some code; everybody who listens hears this."""

    code: str
    execution_count: int


class Cleared(msgspec.Struct, frozen=True):
    """What was shown so far is to go: now, or (`wait`) when the next output comes."""

    wait: bool


class Updated(msgspec.Struct, frozen=True):
    """Every value shown under `display.display_id` becomes this one."""

    display: Display


Event = Output | Began | Cleared | Updated


class KernelInfo(msgspec.Struct, frozen=True):
    """How a kernel introduces itself."""

    implementation: str = ""
    implementation_version: str = ""
    banner: str = ""
    language_info: dict[str, object] = {}


class _Stream(msgspec.Struct):
    name: str
    text: str


class _Transient(msgspec.Struct, frozen=True):
    display_id: str | None = None


class _Display(msgspec.Struct):
    data: dict[str, object]
    metadata: dict[str, object] = {}
    transient: _Transient = _Transient()
    execution_count: int | None = None


class _Error(msgspec.Struct):
    ename: str = ""
    evalue: str = ""
    traceback: list[str] = []


class _Input(msgspec.Struct):
    code: str
    execution_count: int


class _Clear(msgspec.Struct):
    wait: bool = False


class _Status(msgspec.Struct):
    execution_state: str


class _Question(msgspec.Struct):
    prompt: str = ""
    password: bool = False


class _Completed(msgspec.Struct):
    matches: list[str] = []
    cursor_start: int = 0
    cursor_end: int = 0


class _Reply(msgspec.Struct):
    status: str = "ok"
    execution_count: int | None = None


def _stream(body: object) -> Event:
    said = msgspec.convert(body, _Stream)
    return Text(said.name, said.text)


def _display(body: object) -> Display:
    said = msgspec.convert(body, _Display)
    return Display(
        data=said.data,
        metadata=said.metadata,
        execution_count=said.execution_count,
        display_id=said.transient.display_id,
    )


def _updated(body: object) -> Event:
    return Updated(_display(body))


def failure(body: object) -> Failure:
    """The content of an `error` message, or of a reply whose status is `error`."""
    said = msgspec.convert(body, _Error)
    return Failure(_SAME_NAMES.get(said.ename, said.ename), said.evalue, tuple(said.traceback))


def _began(body: object) -> Event:
    said = msgspec.convert(body, _Input)
    return Began(said.code, said.execution_count)


def _cleared(body: object) -> Event:
    return Cleared(msgspec.convert(body, _Clear).wait)


_READERS: dict[str, Callable[[object], Event]] = {
    "stream": _stream,
    "display_data": _display,
    "execute_result": _display,
    "update_display_data": _updated,
    "error": failure,
    "execute_input": _began,
    "clear_output": _cleared,
}


KINDS = frozenset(_READERS)
"""The messages on iopub that say something to a person; not status, comms and the like."""


def event(kind: str, body: object) -> Event:
    """What a message of one of `KINDS` says; `body` is its content as plain values.

    Raises `msgspec.ValidationError` when the kernel does not keep to the protocol.
    """
    return _READERS[kind](body)


def execution_state(body: object) -> str:
    """`busy`, `idle` or `starting`, from a `status` message."""
    return msgspec.convert(body, _Status).execution_state


def introduction(body: object) -> KernelInfo:
    """Who it is, from a `kernel_info_reply`."""
    return msgspec.convert(body, KernelInfo)


def question(body: object) -> tuple[str, bool]:
    """What an `input_request` asks, and whether the answer is a secret."""
    said = msgspec.convert(body, _Question)
    return said.prompt, said.password


def outcome(body: object) -> tuple[Outcome, int | None]:
    """How a run ended and its execution count, from an `execute_reply`."""
    said = msgspec.convert(body, _Reply)
    ended = {"ok": Outcome.OK, "error": Outcome.ERROR}.get(said.status, Outcome.CANCELLED)
    return ended, said.execution_count


def completion(body: object) -> Completion:
    """What a `complete_reply` offers; nothing when the kernel could not."""
    said = msgspec.convert(body, _Completed)
    return Completion(matches=tuple(said.matches), start=said.cursor_start, end=said.cursor_end)


def tidied(packed: bytes) -> bytes:
    """JSON whose text can be encoded: kernels send what is no UTF-8 as it is, and half pairs.

    It may hold NaN, as they send it. Raises `ValueError` for what is no JSON at all.
    """
    loose: object = json.loads(packed.decode("utf-8", "replace"))
    return json.dumps(loose, ensure_ascii=False).encode("utf-8", "replace")


def pieces(stream: str, text: str) -> list[Text]:
    """`text` as outputs of bounded length."""
    return [Text(stream, text[start : start + PIECE]) for start in range(0, len(text), PIECE)]


def plain(output: Output) -> str:
    """An output as text, as a terminal would show it."""
    match output:
        case Text():
            return output.text
        case Display():
            return str(output.data.get("text/plain", "")) or f"<{', '.join(output.data)}>"
        case Failure():
            return "\n".join(output.traceback) or f"{output.name}: {output.message}"
