"""`%load_ext sandbox_tui` and its undoing."""

from __future__ import annotations

from typing import Any, Protocol, cast

from sandbox_tui.magics.docker import DockerMagics, translated
from sandbox_tui.magics.sandboxes import SandboxMagics
from sandbox_tui.magics.shell import Shell

_loaded: dict[int, DockerMagics] = {}
"""By the id of the shell; a process has one shell, tests have more."""


class _Event(Protocol):
    symbol: str


def load(shell: Shell) -> None:
    """Add the magics to `shell`."""
    if id(shell) in _loaded:
        return
    magics = translated(lambda: DockerMagics(shell))
    shell.register_magics(magics)
    shell.register_magics(SandboxMagics(cast("Any", shell)))
    for word in ("%docker_profile", "docker_profile"):
        shell.set_hook("complete_command", _profile_names, str_key=word)
    _loaded[id(shell)] = magics


def unload(shell: Shell) -> None:
    """Put `!` back and let go of the engine."""
    magics = _loaded.pop(id(shell), None)
    if magics is not None:
        magics.close()


def _profile_names(shell: Shell, event: _Event) -> list[str]:
    """What may follow `%docker_profile`."""
    magics = _loaded.get(id(shell))
    names = magics.profile_names() if magics is not None else []
    return [name for name in names if name.startswith(event.symbol)]
