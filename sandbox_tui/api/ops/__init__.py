"""Sessions in tmux and in containers, in the words of kstlib.ops, over the same Hub as all else.

The names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox_tui.api.ops.config import BackendType, SessionConfig, SessionState, SessionStatus
    from sandbox_tui.api.ops.exceptions import (
        BackendNotFoundError,
        ContainerRuntimeNotFoundError,
        OpsError,
        SessionAmbiguousError,
        SessionAttachError,
        SessionConfigError,
        SessionError,
        SessionExistsError,
        SessionNotFoundError,
        SessionStartError,
        SessionStopError,
        TmuxNotFoundError,
    )
    from sandbox_tui.api.ops.runners import (
        AbstractRunner,
        ContainerRunner,
        TmuxRunner,
        auto_detect_backend,
    )
    from sandbox_tui.api.ops.session import SessionManager

__all__ = [
    "AbstractRunner",
    "BackendNotFoundError",
    "BackendType",
    "ContainerRunner",
    "ContainerRuntimeNotFoundError",
    "OpsError",
    "SessionAmbiguousError",
    "SessionAttachError",
    "SessionConfig",
    "SessionConfigError",
    "SessionError",
    "SessionExistsError",
    "SessionManager",
    "SessionNotFoundError",
    "SessionStartError",
    "SessionState",
    "SessionStatus",
    "SessionStopError",
    "TmuxNotFoundError",
    "TmuxRunner",
    "auto_detect_backend",
]

_MODULES = {
    "config": ("BackendType", "SessionConfig", "SessionState", "SessionStatus"),
    "runners": ("AbstractRunner", "ContainerRunner", "TmuxRunner", "auto_detect_backend"),
    "session": ("SessionManager",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """The public name, imported now."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES.get(name, 'exceptions')}")
    value: object = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return __all__
