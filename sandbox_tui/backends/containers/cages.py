"""Containers that shut a program in and are no sandboxes of their own: see `backends.cages`.

Known by names that their owner chooses, so one who was killed before he had the id finds them.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from sandbox_tui.backends.cages import CAGE_FOLDER, Cage, Fate
from sandbox_tui.backends.containers.create import container_config
from sandbox_tui.backends.containers.engine.frames import Frames
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box, Ended
from sandbox_tui.model.errors import (
    ConflictError,
    DeadlineError,
    ImageNotFoundError,
    NotFoundError,
)
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import ContainerSpec, HostAccess

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

HOME = "/home/kernel"
"""The only place, beside /tmp, where such a program can write; gone when it ends."""

UID = 1000
"""Who a program is when this one is root; else it is who this one is."""

PIDS = 256
"""How many processes and threads one may have."""

_TOLD = "20"
"""Lines of the last words."""

_STDERR = 2

START_SECONDS = 60.0
ORDER_SECONDS = 15.0

T = TypeVar("T")


class EngineCages:
    """Cages of `image` on the engine at `endpoint`, of at most `memory` bytes each.

    `hint` says how the image is made when it is not there.
    """

    def __init__(self, endpoint: str, *, image: str, memory: int, hint: str = "") -> None:
        self._link = Link(Place(Kind.CONTAINER), endpoint)
        self._image = image
        self._memory = memory
        self._hint = hint

    async def shut_in(
        self, name: str, argv: Sequence[str], folder: Path, env: Mapping[str, str], *, network: bool
    ) -> Cage:
        """See `Cages.shut_in`."""
        given_up = threading.Event()
        ref = _ref(name)

        def make(engine: Engine) -> Cage:
            spec = _fitting(engine, self._spec(name, argv, folder, env, network=network))
            _give(folder)
            with engine.making(ref, container_config(spec, folder)) as box:
                engine.begin(box)
                if given_up.is_set():
                    raise DeadlineError(f"start {ref}", START_SECONDS)
                return Cage(name, engine.inspect(box).state.pid)

        try:
            return await self._link.order(f"start {ref}", START_SECONDS, make)
        except ImageNotFoundError as error:
            raise ImageNotFoundError(self._image, hint=self._hint) from error
        except BaseException:
            given_up.set()
            raise

    async def pause(self, name: str) -> None:
        """See `Cages.pause`."""
        await self._order("pause", name, lambda engine, box: engine.pause(box))

    async def resume(self, name: str) -> None:
        """See `Cages.resume`."""
        await self._order("resume", name, lambda engine, box: engine.resume(box))

    async def signal(self, name: str, number: int) -> None:
        """See `Cages.signal`."""
        word = signal.Signals(number).name
        await self._order("signal", name, lambda engine, box: engine.kill(box, word))

    async def fate(self, name: str) -> Fate:
        """See `Cages.fate`."""
        return await self._order("wait for", name, _fate)

    async def end(self, name: str) -> None:
        """See `Cages.end`."""
        await self._order("end", name, _end)

    async def aclose(self) -> None:
        """See `Cages.aclose`."""
        await self._link.aclose()

    async def _order(self, verb: str, name: str, command: Callable[[Engine, Box], T]) -> T:
        box = Box(_ref(name), name, "")
        return await self._link.order(
            f"{verb} {name}", ORDER_SECONDS, lambda engine: command(engine, box)
        )

    def _spec(
        self,
        name: str,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        *,
        network: bool,
    ) -> ContainerSpec:
        uid, gid = _user()
        bounds = f"exec,mode=1777,size={self._memory // 2}"
        return ContainerSpec(
            name=name,
            image=self._image,
            entrypoint=tuple(argv),
            env={"HOME": HOME, **env},
            user=f"{uid}:{gid}",
            working_dir=HOME,
            volumes=(f"{folder}:{CAGE_FOLDER}",),
            network="bridge" if network else "none",
            read_only=True,
            tmpfs=(f"/tmp:{bounds}", f"{HOME}:{bounds}"),
            memory=self._memory,
            pids=PIDS,
            security="strict",
            tty=False,
            persist=True,
        )


def _ref(name: str) -> Ref:
    return Ref.make(Kind.CONTAINER, name)


def _fitting(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """The same for an engine's own ways.

    Docker gives a tmpfs over a folder that is there the mode of that, so it needs an owner; podman
    knows no owner there. Without root, podman's users are others than this machine's.
    """
    if engine.version.runtime == "podman":
        access = HostAccess(userns="keep-id" if os.getuid() else "")
        return msgspec.structs.replace(spec, access=access)
    uid, gid = _user()
    owned = tuple(f"{place},uid={uid},gid={gid}" for place in spec.tmpfs)
    return msgspec.structs.replace(spec, tmpfs=owned)


def _user() -> tuple[int, int]:
    """Never root; both sides have to be able to use the folder."""
    return (os.getuid(), os.getgid()) if os.getuid() else (UID, UID)


def _give(folder: Path) -> None:
    if os.getuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, *_user())


def _fate(engine: Engine, box: Box) -> Fate:
    told = engine.order("POST", f"/containers/{box.id}/wait", ref=box.ref, verb="wait for")
    with engine.talking():
        code = msgspec.json.decode(told, type=Ended).status_code
    return Fate(code, engine.inspect(box).state.oom_killed, _last_words(engine, box))


def _last_words(engine: Engine, box: Box) -> str:
    frames, said = Frames(), bytearray()
    with closing(engine.logs(box, tail=_TOLD, since=None, follow=False, stamps=False)) as stream:
        while data := stream.read():
            said += b"".join(text for name, text in frames.feed(data) if name == _STDERR)
    return said.decode("utf-8", "replace")


def _end(engine: Engine, box: Box) -> None:
    with suppress(NotFoundError):
        with suppress(ConflictError):  # it is not frozen: no engine ends what is
            engine.resume(box)
        engine.remove(box, force=True)
