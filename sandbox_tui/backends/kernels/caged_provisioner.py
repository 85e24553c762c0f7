"""Isolated kernels for every program that launches kernels with jupyter_client.

A kernelspec that names such a provisioner has its kernels shut in; its command line is not used.
The calls of one kernel may come on several event loops, so nothing here is bound to one.
"""

from __future__ import annotations

import asyncio
import signal
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Bool

from sandbox_tui.backends.cages import Cage, Cages
from sandbox_tui.backends.kernels.caged import INSIDE, cage_name, program_argv, share, started_at
from sandbox_tui.backends.kernels.foreign.discovery import runtime_folder
from sandbox_tui.backends.kernels.launch import new_folder
from sandbox_tui.backends.kernels.process import lives
from sandbox_tui.backends.kernels.records import discard, new_id

_LOOK = 0.05
"""Seconds between two looks whether a kernel has ended, while that is waited for."""


class CagedProvisioner(KernelProvisionerBase):
    """All but the choice of the engine; see `KernelProvisionerBase`."""

    network = Bool(default_value=False, help="Whether its kernels have a network.").tag(config=True)

    _cages: Cages | None = None
    _cage: Cage | None = None
    _started = 0
    _code: int | None = None
    _folder: Path | None = None

    @abstractmethod
    def make_cages(self) -> Cages:
        """What shuts this kernel in; called once, in a thread."""

    @property
    def has_process(self) -> bool:
        """Whether there is a container."""
        return self._cage is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have the manager speak over sockets in a folder that the kernel shares."""
        kwargs = await super().pre_launch(**kwargs)
        await asyncio.to_thread(self._furnish, cast(KernelManager, self.parent))
        return {**kwargs, "cmd": list(program_argv())}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the container; of the variables only the kernelspec's go with it."""
        if self._folder is None:
            raise RuntimeError("launch_kernel before pre_launch")
        if self._cages is None:
            self._cages = await asyncio.to_thread(self.make_cages)
        named = cast(Mapping[str, str], self.kernel_spec.env if self.kernel_spec else {})
        env = {name: str(kwargs["env"][name]) for name in named}
        name = cage_name(self._folder.name.rpartition("-")[2])
        self._cage = await self._cages.shut_in(
            name, cmd, self._folder / INSIDE, env, network=self.network
        )
        self._started, self._code = await asyncio.to_thread(started_at, self._cage), None
        return self.connection_info

    async def poll(self) -> int | None:
        """The exit code, or `None` while it runs."""
        if self._cage is None or self._cages is None:
            return 0
        if await asyncio.to_thread(lives, self._cage.pid, self._started):
            return None
        if self._code is None:
            self._code = (await self._cages.fate(self._cage.name)).code
        return self._code

    async def wait(self) -> int | None:
        """Wait for its end, and take away what is left."""
        while (code := await self.poll()) is None:  # noqa: ASYNC110  # bound to no loop
            await asyncio.sleep(_LOOK)
        await self._end(code)
        return code

    async def send_signal(self, signum: int) -> None:
        """Signal its main process."""
        if signum == signal.SIGKILL:
            await self._end(128 + signum)
        elif signum and self._cage is not None and self._cages is not None:
            await self._cages.signal(self._cage.name, signum)

    async def kill(self, restart: bool = False) -> None:
        """End it at once."""
        del restart
        await self._end(128 + signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """End it at once, too: a kernel has nothing to save."""
        del restart
        await self._end(128 + signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        """Leave nothing behind; a kernel that begins again goes on in the same folder."""
        await self._end(128 + signal.SIGKILL)
        if restart:
            return
        if self._folder is not None:
            await asyncio.to_thread(discard, self._folder)
            self._folder = None
        if self._cages is not None:
            await self._cages.aclose()
            self._cages = None

    async def get_provisioner_info(self) -> dict[str, Any]:
        """Also which container it is, so that another process can go on with it."""
        info = await super().get_provisioner_info()
        cage = self._cage or Cage("", 0)
        here = {"container": cage.name, "pid": cage.pid, "started": self._started}
        return {**info, **here, "folder": str(self._folder)}

    async def load_provisioner_info(self, provisioner_info: dict[str, Any]) -> None:
        """Go on with the container of another process."""
        await super().load_provisioner_info(provisioner_info)  # pyright: ignore[reportUnknownMemberType]
        self._cages = await asyncio.to_thread(self.make_cages)
        self._cage = Cage(provisioner_info["container"], provisioner_info["pid"])
        self._started = provisioner_info["started"]
        self._folder = Path(provisioner_info["folder"])

    async def _end(self, code: int) -> None:
        cage, self._cage = self._cage, None
        if cage is not None and self._cages is not None:
            await self._cages.end(cage.name)
            self._code = code

    def _furnish(self, manager: KernelManager) -> None:
        if self._folder is None:
            self._folder = new_folder(runtime_folder(), new_id())
            (self._folder / INSIDE).mkdir(mode=0o700)
        manager.transport = "ipc"
        manager.ip = str(self._folder / INSIDE / "s")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        share(Path(manager.connection_file), self._folder / INSIDE)
