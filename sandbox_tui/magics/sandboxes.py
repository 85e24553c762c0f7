"""The magics for what runs on this machine anyway: look at it, and run cells in its rooms."""

from __future__ import annotations

from typing import cast

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from sandbox_tui.api.blocking_api import BlockingApi, BlockingExecution
from sandbox_tui.api.client import blocking
from sandbox_tui.hub.filter import Filter
from sandbox_tui.magics.docker import CHECK, translated
from sandbox_tui.magics.showing import show
from sandbox_tui.model.actions import Run
from sandbox_tui.model.outputs import Result
from sandbox_tui.model.refs import Kind, resolve


class CellFailedError(RuntimeError):
    """A cell that failed in its room, where `--check` was asked."""


@magics_class
class SandboxMagics(Magics):
    """What `%load_ext sandbox_tui` gives for everything else."""

    @line_magic
    def sandbox(self, line: str) -> None:
        """What there is on this machine: `%sandbox [FILTER]`."""
        with blocking() as api:
            world = translated(api.settled)
        shown = Filter(line).of(world.sandboxes)
        width = max((len(box.ref) for box in shown), default=0)
        for box in shown:
            print(f"{box.state:<8}  {box.ref:<{width}}  {box.title}".rstrip())
        for health in world.health:
            if not health.ok:
                print(f"{health.place}: {health.detail}")

    @cell_magic
    def room(self, line: str, cell: str) -> None:
        """Run the cell in another room: `%%room [--check] NAME`.

        Its outputs come here as they come there; with `--check` a failure there is one here.
        """
        words = line.split()
        check, names = CHECK in words, [word for word in words if word != CHECK]
        if len(names) != 1:
            raise UsageError("it is %%room [--check] NAME")
        with blocking(kinds={Kind.ROOM}) as api:
            result = translated(lambda: _run(api, names[0], cell))
        if check and not result.ok:
            raise CellFailedError(result.detail or f"the cell failed in room {names[0]}")


def _run(api: BlockingApi, name: str, code: str) -> Result:
    known = [box.ref for box in api.settled().sandboxes]
    execution = cast("BlockingExecution", api.perform(Run(ref=resolve(name, known), code=code)))
    try:
        for output in execution:
            show(output)
        return execution.wait()
    except BaseException:
        execution.cancel()
        raise
