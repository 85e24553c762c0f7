"""What an engine, Docker or Podman, can be asked and told: one method each, over the one door.

Long replies are handed out as they come, and taken apart elsewhere.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Mapping, Sequence

import msgspec

from sandbox_tui.backends.containers.engine import faults
from sandbox_tui.backends.containers.engine.door import ORDER_SECONDS, Door
from sandbox_tui.backends.containers.engine.endpoint import Endpoint
from sandbox_tui.backends.containers.engine.exchange import NOTHING
from sandbox_tui.backends.containers.engine.frames import Frames
from sandbox_tui.backends.containers.engine.replies import (
    Box,
    ExecState,
    Inspected,
    Listed,
    Version,
)
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    BackendUnavailableError,
    DeadlineError,
    SandboxError,
)
from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.model.specs import Inside

_BOTH_WAYS = {"Connection": "Upgrade", "Upgrade": "tcp"}
_LISTEN = {"stream": "1", "stdout": "1", "stderr": "1"}
_LISTING = msgspec.json.Decoder(list[Listed])


class Engine(Door):
    """A connected engine."""

    def __init__(self, place: Place, endpoint: Endpoint, patience: int) -> None:
        """Connect; `patience` is how long one reading may take, in seconds.

        Raises `BackendUnavailableError` with the reason.
        """
        super().__init__(place, endpoint, patience)
        try:
            self.version = self.ask_version()
        except SandboxError:
            self.let_go()
            raise
        self._prefix = f"/v{self.version.api_version}"

    def ask_version(self) -> Version:
        """Which engine this is. Costly for both: podman runs programs to find out."""
        return self.read("/version", Version)

    def ping(self) -> None:
        """The cheapest question there is: whether it answers."""
        self.get("/_ping")

    def containers(self) -> bytes:
        """The listing of all containers, as it came."""
        return self.get("/containers/json", {"all": "1"})

    def listed(self, raw: bytes) -> list[Listed]:
        """That listing taken apart."""
        with self.talking():
            return _LISTING.decode(raw)

    def inspect(self, box: Box) -> Inspected:
        """What the listing leaves out."""
        return self.read(f"/containers/{box.id}/json", Inspected, box.ref, "inspect")

    def inspect_all(self, box: Box) -> dict[str, object]:
        """Everything, as plain values."""
        return self.read(f"/containers/{box.id}/json", dict[str, object], box.ref, "inspect")

    def start(self, ref: Ref, config: Mapping[str, object], abandoned: Callable[[], bool]) -> None:
        """Create and start; on failure, or when `abandoned` by then, nothing is left behind."""
        with self.making(ref, config) as box:
            self.begin(box)
            if abandoned():
                raise DeadlineError(f"start {ref}", ORDER_SECONDS)

    @contextlib.contextmanager
    def making(self, ref: Ref, config: Mapping[str, object]) -> Generator[Box]:
        """A container that is created now; when the block fails, nothing of it is left behind."""
        try:
            box = Box(ref, self._create(ref, config), "created")
            try:
                yield box
            except SandboxError:
                with contextlib.suppress(SandboxError):  # the failure itself is what is told
                    self.remove(box, force=True)
                raise
        except (AlreadyExistsError, BackendUnavailableError, DeadlineError):
            raise
        except SandboxError as error:
            raise faults.start_failure(ref, str(config["Image"]), error) from error

    def begin(self, box: Box) -> None:
        """Start one that was created."""
        self._tell(box, "start", "start")

    def stop(self, box: Box, grace: float) -> None:
        """Send SIGTERM, and SIGKILL after `grace` seconds (whole ones, rounded up)."""
        seconds = math.ceil(grace)
        self._tell(box, "stop", "stop", {"t": str(seconds)}, ORDER_SECONDS + seconds)

    def kill(self, box: Box, signal: str = "SIGKILL") -> None:
        """Send a signal to the main process."""
        self._tell(box, "kill", "send a signal to", {"signal": signal})

    def restart(self, box: Box, grace: float) -> None:
        """Stop and start the same container."""
        seconds = math.ceil(grace)
        self._tell(box, "restart", "restart", {"t": str(seconds)}, ORDER_SECONDS + seconds)

    def pause(self, box: Box) -> None:
        """Freeze every process."""
        self._tell(box, "pause", "pause")

    def resume(self, box: Box) -> None:
        """Thaw every process."""
        self._tell(box, "unpause", "resume")

    def remove(self, box: Box, *, force: bool = False) -> None:
        """Remove an ended container (with `force` any) and the volumes that nobody named."""
        params = {"v": "1", "force": str(int(force))}
        self.order("DELETE", f"/containers/{box.id}", params, ref=box.ref, verb="remove")

    def logs(
        self, box: Box, *, tail: str, since: float | None, follow: bool, stamps: bool
    ) -> Stream:
        """The log, with the engine's time stamps; `tail` is a number of entries or `all`."""
        wanted = {"stdout": "1", "stderr": "1", "tail": tail}
        wanted |= {"timestamps": str(int(stamps)), "follow": str(int(follow))}
        if since is not None:
            wanted["since"] = f"{since:.9f}"
        stream = self.stream("GET", f"/containers/{box.id}/logs", wanted, box.ref, "read")
        stream.wait_at_most(None if follow else self._patience)
        return stream

    def events(self) -> Stream:
        """What happens to containers from now on, one JSON document per line."""
        return self.stream("GET", "/events", {"filters": '{"type":["container"]}'})

    def stats(self, box: Box) -> Stream:
        """Measurements about once a second, one JSON document per line."""
        return self.stream("GET", f"/containers/{box.id}/stats", NOTHING, box.ref, "measure")

    def attach(self, box: Box) -> Stream:
        """What its main process prints from now on, in frames."""
        path = f"/containers/{box.id}/attach"
        return self.stream("POST", path, _LISTEN, box.ref, "listen to", headers=_BOTH_WAYS)

    def make_exec(
        self,
        box: Box,
        argv: Sequence[str],
        env: Mapping[str, str] = NOTHING,
        *,
        inside: Inside | None = None,
        listens: bool = False,
    ) -> str:
        """Prepare a command inside; its id. One that `listens` has its stdin from us."""
        body: dict[str, object] = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(argv)}
        body |= {"AttachStdin": True} if listens else {}
        if inside is not None:
            body |= {"User": inside.user, "WorkingDir": inside.working_dir}
            env = {**inside.env, **env}
        body["Env"] = [f"{name}={value}" for name, value in env.items()]
        path = f"/containers/{box.id}/exec"
        return self.made(self.order("POST", path, body=body, ref=box.ref, verb="run in"))

    def start_exec(self, box: Box, exec_id: str, *, listens: bool = False) -> Stream:
        """Begin it: the stream of what it prints, in frames, and (`listens`) to its stdin."""
        path, body = f"/exec/{exec_id}/start", {"Detach": False, "Tty": False}
        headers = _BOTH_WAYS if listens else NOTHING
        return self.stream("POST", path, NOTHING, box.ref, "run in", body=body, headers=headers)

    def exec_state(self, box: Box, exec_id: str) -> ExecState:
        """Whether that command still runs, else its exit code."""
        return self.read(f"/exec/{exec_id}/json", ExecState, box.ref, "run in")

    def run(
        self, box: Box, argv: Sequence[str], inside: Inside | None = None
    ) -> tuple[int | None, bytes]:
        """Run a short command of our own: its exit code, and what it printed on stdout."""
        exec_id = self.make_exec(box, argv, inside=inside)
        stream = self.start_exec(box, exec_id)
        with contextlib.closing(stream):
            stream.wait_at_most(self._patience)
            frames, said = Frames(), bytearray()
            while data := stream.read():
                said += b"".join(text for name, text in frames.feed(data) if name == 1)
        return self.exec_state(box, exec_id).exit_code, bytes(said)

    def _create(self, ref: Ref, config: Mapping[str, object]) -> str:
        params = {"name": ref.name}
        made = self.order(
            "POST", "/containers/create", params, body=config, ref=ref, verb=faults.CREATE
        )
        return self.made(made)

    def _tell(
        self,
        box: Box,
        word: str,
        verb: str,
        params: Mapping[str, str] = NOTHING,
        seconds: float = ORDER_SECONDS,
    ) -> None:
        path = f"/containers/{box.id}/{word}"
        self.order("POST", path, params, seconds=seconds, ref=box.ref, verb=verb)
