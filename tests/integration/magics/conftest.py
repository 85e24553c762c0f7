"""A real notebook: cells run in a real IPython kernel, as a front end runs them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from tests.support import Engine

IMAGE = "sandbox-tui-test/busybox"
PYTHON = "sandbox-tui-test/python"


class Said(NamedTuple):
    """What a cell left in its notebook."""

    stdout: str
    stderr: str
    error: str
    data: list[dict[str, Any]]

    @property
    def red(self) -> str:
        """stderr without its colours."""
        return self.stderr.replace("\x1b[31m", "").replace("\x1b[0m", "")


class Notebook:
    """A kernel and its front end."""

    def __init__(self, client: BlockingKernelClient, manager: Any) -> None:
        self.client = client
        self.manager = manager

    def begin(self, code: str) -> str:
        """Send a cell, and do not wait."""
        return self.client.execute(code)

    def run(self, code: str) -> Said:
        """Run a cell to its end."""
        return self.end(self.begin(code))

    def end(self, request: str) -> Said:
        """What a cell that was sent has said."""
        streams, errors, data = {"stdout": "", "stderr": ""}, [], []
        while (message := self.next(request))["msg_type"] != "idle":
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    streams[content["name"]] += content["text"]
                case "error":
                    errors.append(f"{content['ename']}: {content['evalue']}")
                case "display_data" | "execute_result":
                    data.append(content["data"])
        self.client.get_shell_msg(timeout=30)
        return Said(streams["stdout"], streams["stderr"], "\n".join(errors), data)

    def next(self, request: str) -> dict[str, Any]:
        """The next message about a cell; the last one is of the type `idle`."""
        while True:
            message = self.client.get_iopub_msg(timeout=30)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["content"].get("execution_state") == "idle":
                return {**message, "msg_type": "idle"}
            return message

    def until(self, request: str, text: str) -> None:
        """Wait until a cell has said just that."""
        while (message := self.next(request))["content"].get("text") != text:
            assert message["msg_type"] != "idle", f"it ended without saying {text!r}"

    def value(self, expression: str) -> str:
        """What an expression is in the kernel, as `repr` says it."""
        [data] = self.run(expression).data
        return data["text/plain"]


@pytest.fixture
def notebook(home: Path, docker_engine: Engine, monkeypatch) -> Iterator[Notebook]:
    """A kernel that has loaded the extension, in a folder of its own."""
    folder = home / "notebook"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_HOST", docker_engine.url)
    monkeypatch.chdir(folder)
    manager, client = start_new_kernel(cwd=str(folder), stderr=subprocess.DEVNULL)
    opened = Notebook(client, manager)
    assert opened.run("%load_ext sandbox_tui") == ("", "", "", [])
    yield opened
    client.stop_channels()
    manager.shutdown_kernel(now=True)
