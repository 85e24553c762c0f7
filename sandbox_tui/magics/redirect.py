"""`!cmd` and `x = !cmd`, sent somewhere else for a while, and put back exactly as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.utils.text import LSString, SList

from sandbox_tui.magics.shell import Shell

Run = Callable[[str, Callable[[str], None] | None], int | None]
"""Run a command and show what it says, or give it to the function; its exit code."""

_NAMES = ("system", "getoutput")


class Redirect:
    """What a shell does with `!`. Turning it on or off twice is the same as once."""

    def __init__(self, shell: Shell, run: Run) -> None:
        self._shell = shell
        self._run = run
        self._own: dict[str, Any] | None = None

    @property
    def is_on(self) -> bool:
        """Whether `!` goes elsewhere now."""
        return self._own is not None

    def on(self) -> None:
        """From now on, run `!` there."""
        if self._own is None:
            mine = vars(self._shell)
            self._own = {name: mine[name] for name in _NAMES if name in mine}
            vars(self._shell).update(system=self._system, getoutput=self._getoutput)

    def off(self) -> None:
        """Put back what was there: what the shell itself had, and not what its class has."""
        if self._own is not None:
            for name in _NAMES:
                vars(self._shell).pop(name, None)
            vars(self._shell).update(self._own)
            self._own = None

    def _system(self, cmd: str) -> None:
        code = self._run(self._shell.var_expand(cmd, depth=1), None)
        self._shell.user_ns["_exit_code"] = code

    def _getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> object:
        said: list[str] = []
        code = self._run(self._shell.var_expand(cmd, depth=depth + 1), said.append)
        self._shell.user_ns["_exit_code"] = code
        text = "".join(said)
        return SList(text.splitlines()) if split else LSString(text)
