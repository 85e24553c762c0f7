"""What one backend lends another: containers that shut a single program in.

Backends are islands. Who runs kernels knows this protocol, who talks to an engine implements it,
and whoever opens both brings them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

CAGE_FOLDER = "/run/sandbox-tui"
"""Where a program that is shut in finds its folder."""


class Cage(NamedTuple):
    """A container that shuts one program in."""

    name: str
    pid: int
    """Its main process, as this machine counts."""


class Fate(NamedTuple):
    """How such a program ended, and its last words."""

    code: int
    out_of_memory: bool
    said: str


class Cages(Protocol):
    """Shuts programs in: no capabilities, a read-only root, bounds on memory and processes.

    What they share with this machine is one folder. Not a backend: who runs kernels is given one.
    """

    async def shut_in(
        self, name: str, argv: Sequence[str], folder: Path, env: Mapping[str, str], *, network: bool
    ) -> Cage:
        """Run `argv`, which finds `folder` (given to its user) at `CAGE_FOLDER`.

        Raises `BackendUnavailableError`, `ImageNotFoundError`, `StartFailedError`; nothing is
        left then, nor when it is cancelled.
        """
        ...

    async def pause(self, name: str) -> None:
        """Freeze it."""
        ...

    async def resume(self, name: str) -> None:
        """Let it go on."""
        ...

    async def signal(self, name: str, number: int) -> None:
        """Signal its main process."""
        ...

    async def fate(self, name: str) -> Fate:
        """How it ended; waits until the engine has seen that."""
        ...

    async def end(self, name: str) -> None:
        """Kill it, frozen or not, and take it away; one that is gone already is no error."""
        ...

    async def aclose(self) -> None:
        """Let go of the engine; what runs goes on."""
        ...
