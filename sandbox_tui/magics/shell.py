"""What the magics use of an IPython shell, with types: IPython's own has few."""

from __future__ import annotations

from typing import Protocol


class Shell(Protocol):
    """An `InteractiveShell`."""

    user_ns: dict[str, object]

    def var_expand(self, cmd: str, depth: int = 0) -> str:
        """`cmd` with `{names}` replaced, as seen `depth` frames above the caller."""
        ...

    def register_magics(self, magics: object) -> None:
        """Make the magics of an object known."""
        ...

    def set_hook(self, name: str, hook: object, *, str_key: str) -> None:
        """Have a function called, for lines that begin with `str_key`."""
        ...
