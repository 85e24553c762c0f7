"""What a sandbox said, and how one run of code ended."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec

OUTPUT_CAP = 10 * 1024 * 1024
"""Default bound of the output that is kept of a run, in characters."""

Keep = Literal["tail", "head"]
"""Which end of a long output stays within the cap."""


class Text(msgspec.Struct, frozen=True, tag="text", omit_defaults=True):
    """A piece of a text stream: `stdout`, `stderr`, or `pty` where the two are one.

    Pieces are as they came, not lines: escape sequences and carriage returns are kept.
    """

    stream: str
    text: str
    at: float | None = None
    """When the engine stamped it (seconds since the epoch), where the engine does."""
    raw: bytes | None = None
    """The bytes as they came, where they are no valid UTF-8; `text` then has U+FFFD in it."""

    @property
    def data(self) -> bytes:
        """The bytes that were printed."""
        return self.text.encode() if self.raw is None else self.raw


class Display(msgspec.Struct, frozen=True, tag="display"):
    """A rich value, by MIME type; `execution_count` is set when it is the value of the cell."""

    data: Mapping[str, object]
    metadata: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    execution_count: int | None = None
    display_id: str | None = None


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """Code that raised: exception name, message, and the traceback's lines (with ANSI colours)."""

    name: str
    message: str
    traceback: tuple[str, ...] = ()


Output = Text | Display | Failure


class Outcome(StrEnum):
    """How a run ended."""

    OK = "ok"
    ERROR = "error"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    DIED = "died"
    """What ran it is gone: the kernel died, the container or its engine went away."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One finished run of code. Code that fails is a Result too, never an exception."""

    outcome: Outcome
    outputs: tuple[Output, ...] = ()
    exit_code: int | None = None
    """The process's exit code; `None` where there is none (kernels)."""
    execution_count: int | None = None
    duration: float = 0.0
    """Seconds from the moment it ran (not from the moment it was queued)."""
    truncated: bool = False
    """Whether output was dropped to stay within the cap."""
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself and without an error."""
        return self.outcome is Outcome.OK

    @property
    def stdout(self) -> str:
        """Everything said on stdout (and on a pty), joined."""
        return "".join(o.text for o in self.outputs if isinstance(o, Text) and o.stream != "stderr")

    @property
    def stderr(self) -> str:
        """Everything said on stderr, joined."""
        return "".join(o.text for o in self.outputs if isinstance(o, Text) and o.stream == "stderr")

    @property
    def stdout_bytes(self) -> bytes:
        """The same as `stdout`, byte by byte."""
        return b"".join(
            o.data for o in self.outputs if isinstance(o, Text) and o.stream != "stderr"
        )

    @property
    def stderr_bytes(self) -> bytes:
        """The same as `stderr`, byte by byte."""
        return b"".join(
            o.data for o in self.outputs if isinstance(o, Text) and o.stream == "stderr"
        )

    @property
    def error(self) -> Failure | None:
        """The first failure, if any."""
        return next((o for o in self.outputs if isinstance(o, Failure)), None)

    @property
    def display(self) -> tuple[Display, ...]:
        """The rich values, in order."""
        return tuple(o for o in self.outputs if isinstance(o, Display))


class Screen(msgspec.Struct, frozen=True):
    """What a terminal shows: its rows with their ANSI colours, without trailing newlines."""

    rows: tuple[str, ...]
    width: int
    height: int
    cursor: tuple[int, int] | None = None
    """Column and row of the cursor, from 0; `None` when it is hidden."""
    title: str = ""


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of a live sandbox. Rates are per second, sizes are bytes."""

    at: float
    cpu: float | None = None
    """Share of one core: 1.0 is one core fully used."""
    cpu_limit: float | None = None
    """How many cores it may use."""
    memory: int | None = None
    """Without the page cache."""
    memory_limit: int | None = None
    received: float | None = None
    """Network bytes per second."""
    sent: float | None = None
    read: float | None = None
    """Block device bytes per second."""
    written: float | None = None
    pids: int | None = None
    activity: float | None = None
    """Lines printed per second, for what has no processor share of its own."""
