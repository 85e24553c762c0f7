"""A kernel that prints after it has said that it is idle, as deno's does now and then."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from tests.integration.kernels.listener import Ears

LAB = Ref("room:lab")

TARDY = """
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp


class Tardy(IPythonKernel):
    implementation = "tardy"

    def _publish_status(self, status, channel, parent=None):
        super()._publish_status(status, channel, parent)
        parent = parent or self.get_parent(channel)
        if status == "idle" and parent["msg_type"] == "execute_request":
            said = {"name": "stdout", "text": "late\\n"}
            self.session.send(self.iopub_socket, "stream", said, parent=parent)


IPKernelApp.launch_instance(kernel_class=Tardy)
"""


async def test_what_comes_after_its_idle_belongs_to_the_run(
    host: KernelHost, home: Path, ears: Ears
) -> None:
    program = home / "tardy.py"
    program.write_text(TARDY)
    folder = home / "data/jupyter/kernels/tardy"
    folder.mkdir(parents=True)
    argv = [sys.executable, str(program), "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Tardy"}))
    kernel = await host.start(KernelRequest(owner=LAB, kernel="tardy"), ears)

    for _ in range(20):
        async with asyncio.timeout(30):
            result = await kernel.run(Execution(LAB, "print('soon')"))
        assert (result.outcome, result.stdout) == (Outcome.OK, "soon\nlate\n")
    await host.end(kernel)
