"""`Api.execute`, the same for every Api: the action `Run`, put together from its arguments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from sandbox_tui.model.actions import Run
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Command
from sandbox_tui.runtime.execution import Execution


class Executes(ABC):
    """Runs code by an action."""

    async def execute(
        self,
        ref: Ref,
        code: Command,
        *,
        timeout: float | None = None,
        cap: int = OUTPUT_CAP,
        keep: Keep = "tail",
        env: Mapping[str, str] | None = None,
        working_dir: str | None = None,
        user: str | None = None,
    ) -> Execution:
        """See `Api.execute`. Whoever gives it up meanwhile has the code ended."""
        return await self.run(
            Run(
                ref=ref,
                code=code,
                timeout=timeout,
                cap=cap,
                keep=keep,
                env=env,
                working_dir=working_dir,
                user=user,
            )
        )

    @abstractmethod
    async def run(self, action: Run) -> Execution:
        """Let it run."""
