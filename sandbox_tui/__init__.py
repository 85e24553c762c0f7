"""One dashboard and one headless API for everything on a machine that runs code for you.

Importing the package loads nothing heavy: public names are resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sandbox_tui.api.client import blocking, connect
    from sandbox_tui.magics.shell import Shell
    from sandbox_tui.model.errors import SandboxError
    from sandbox_tui.model.refs import Kind, Ref

_HOMES = {
    "connect": "sandbox_tui.api.client",
    "blocking": "sandbox_tui.api.client",
    "SandboxError": "sandbox_tui.model.errors",
    "Kind": "sandbox_tui.model.refs",
    "Ref": "sandbox_tui.model.refs",
}

__all__ = ["Kind", "Ref", "SandboxError", "__version__", "blocking", "connect"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Shell) -> None:
    """`%load_ext sandbox_tui`: the magics of notebooks."""
    from sandbox_tui.magics.extension import load

    load(shell)


def unload_ipython_extension(shell: Shell) -> None:
    """`%unload_ext sandbox_tui`: everything as it was before."""
    from sandbox_tui.magics.extension import unload

    unload(shell)
