"""Started, stopped, frozen, removed; and what is left when that fails."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    ConflictError,
    ImageNotFoundError,
    InvalidSpecError,
    NotFoundError,
    SandboxError,
    StartFailedError,
    ToolMissingError,
    UnsupportedError,
)
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec, TmuxSpec
from sandbox_tui.model.world import Sandbox, State
from tests.integration.containers.conftest import IMAGE, Outside, on_docker
from tests.support import lapse, require_program, retry_until_async, stays


async def look(backend: ContainerBackend, ref: Ref) -> Sandbox | None:
    return next((box for box in await backend.poll() if box.ref == ref), None)


async def until(backend: ContainerBackend, ref: Ref, *states: State) -> None:
    async def there() -> bool:
        box = await look(backend, ref)
        return box is not None and box.state in states

    await retry_until_async(there, timeout=10)


async def log(backend: ContainerBackend, ref: Ref) -> str:
    texts = [text.text async for text in backend.follow(ref, live=False)]
    return "".join(texts)


async def test_everything_in_a_spec_is_there_inside(
    backend: ContainerBackend, outside: Outside, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "shared").mkdir()
    (home / "shared/file").write_text("from the host")
    monkeypatch.chdir(home)
    spec = ContainerSpec(
        name=outside.name(),
        image=IMAGE,
        command='exec 2>&1; echo "$GREETING"; pwd; cat /data/*; touch /data/x; echo hi >/log/l',
        working_dir="/tmp",
        env={"GREETING": "a = $b 'c'"},
        volumes=("./shared:/data:ro",),
        log_volume="./log:/log",
        tty=False,
    )
    ref = await backend.start(spec)
    await until(backend, ref, State.EXITED)

    assert await log(backend, ref) == (
        "a = $b 'c'\n/tmp\nfrom the hosttouch: /data/x: Read-only file system\n"
    )
    assert (home / "log/l").read_text() == "hi\n"
    box = await look(backend, ref)
    assert box is not None and box.managed


@on_docker
async def test_a_tuple_runs_without_a_shell(backend: ContainerBackend, outside: Outside) -> None:
    command = ("echo", "$HOME", "| cat")
    ref = await backend.start(
        ContainerSpec(name=outside.name(), image=IMAGE, command=command, tty=False)
    )
    await until(backend, ref, State.EXITED)

    assert await log(backend, ref) == "$HOME | cat\n"


@on_docker
async def test_a_port_is_open_here_and_nowhere_else(
    backend: ContainerBackend, outside: Outside
) -> None:
    serve = "while true; do echo served | nc -l -p 8080; done"
    spec = ContainerSpec(name=outside.name(), image=IMAGE, command=serve, ports=("0:8080",))
    box = await look(backend, await backend.start(spec))
    assert box is not None
    address, _, port = box.facts.ports[0].partition("->")[0].rpartition(":")  # type: ignore[union-attr]
    assert address == "127.0.0.1"

    async def served() -> bool:
        try:
            reader, writer = await asyncio.open_connection(address, int(port))
        except OSError:
            return False
        said = await reader.read(100)
        writer.close()
        return said == b"served\n"

    await retry_until_async(served)


@pytest.mark.parametrize(
    ("image", "folder", "error", "reason"),
    [
        ("sandbox-tui-test/none", "/", ImageNotFoundError, "no image 'sandbox-tui-test/none'"),
        (IMAGE, "not/absolute", StartFailedError, "working|workdir|cwd|absolute"),
    ],
)
async def test_a_start_that_fails_leaves_nothing(
    backend: ContainerBackend,
    outside: Outside,
    image: str,
    folder: str,
    error: type[SandboxError],
    reason: str,
) -> None:
    spec = ContainerSpec(name=outside.name(), image=image, working_dir=folder)
    with pytest.raises(error, match=reason):
        await backend.start(spec)

    assert await look(backend, Ref.make(Kind.CONTAINER, spec.name)) is None


async def test_a_port_that_is_taken_leaves_nothing(
    backend: ContainerBackend, outside: Outside
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        spec = ContainerSpec(name=outside.name(), image=IMAGE, ports=(f"{port}:80",))
        with pytest.raises(StartFailedError) as caught:
            await backend.start(spec)

    assert "port" in caught.value.hint
    assert await look(backend, Ref.make(Kind.CONTAINER, spec.name)) is None


async def test_a_name_is_taken_by_an_ended_one_too(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.shell("exit 0")

    with pytest.raises(AlreadyExistsError):
        await backend.start(ContainerSpec(name=name, image=IMAGE))
    with pytest.raises(InvalidSpecError):
        await backend.start(TmuxSpec(name=name))


@on_docker
async def test_who_does_not_wait_for_the_start_gets_nothing_started(
    backend: ContainerBackend, outside: Outside
) -> None:
    spec = ContainerSpec(name=outside.name(), image=IMAGE, command="sleep 1000")
    starting = asyncio.ensure_future(backend.start(spec))
    await lapse(0.05)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    async def gone() -> bool:
        return await look(backend, Ref.make(Kind.CONTAINER, spec.name)) is None

    await retry_until_async(gone)
    assert await stays(gone, 0.5)


async def test_a_stop_asks_first_and_then_makes_sure(
    backend: ContainerBackend, outside: Outside
) -> None:
    polite = Ref.make(
        Kind.CONTAINER,
        outside.shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"),
    )
    deaf = Ref.make(
        Kind.CONTAINER, outside.shell("trap '' TERM; echo up; while :; do sleep 0.1; done")
    )
    for ref in (polite, deaf):
        await retry_until_async(lambda ref=ref: b"up" in outside.client.logs(ref.name))

    await backend.stop(polite, grace=5)
    assert (await log(backend, polite)).endswith("bye\n")
    began = time.monotonic()
    await backend.stop(deaf, grace=1)
    assert 0.8 < time.monotonic() - began < 5
    box = await look(backend, deaf)
    assert box is not None and box.exit_code == 137


@on_docker
async def test_a_stop_without_grace_is_at_once(backend: ContainerBackend, outside: Outside) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.shell("trap '' TERM; while :; do sleep 0.1; done"))
    began = time.monotonic()
    await backend.stop(ref, grace=0)

    assert time.monotonic() - began < 2
    await until(backend, ref, State.FAILED)


async def test_a_stop_of_an_ended_one_changes_nothing(
    backend: ContainerBackend, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.shell("exit 3"))
    await until(backend, ref, State.FAILED)
    for grace in (0.0, 1.0):
        await backend.stop(ref, grace=grace)

    box = await look(backend, ref)
    assert box is not None and box.exit_code == 3


@pytest.mark.parametrize("grace", [0, 1])
async def test_a_frozen_one_is_stopped_too(
    backend: ContainerBackend, outside: Outside, grace: float
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    await backend.pause(ref)
    await until(backend, ref, State.PAUSED)
    await backend.stop(ref, grace=grace)

    await until(backend, ref, State.FAILED, State.EXITED)


async def test_an_interrupt_reaches_the_main_process(
    backend: ContainerBackend, outside: Outside
) -> None:
    ref = Ref.make(
        Kind.CONTAINER,
        outside.shell("trap 'echo caught' INT; echo up; while :; do sleep 0.1; done"),
    )
    await retry_until_async(lambda: b"up" in outside.client.logs(ref.name))
    await backend.interrupt(ref)

    await retry_until_async(lambda: b"caught" in outside.client.logs(ref.name))


async def test_removal_takes_nameless_volumes_and_leaves_named_ones(
    backend: ContainerBackend, outside: Outside
) -> None:
    named = outside.name()
    host = {"Binds": [f"{named}:/named"]}
    ref = Ref.make(Kind.CONTAINER, outside.shell("exit 0", host=host, Volumes={"/nameless": {}}))
    await until(backend, ref, State.EXITED)
    mounts = outside.client.inspect_container(ref.name)["Mounts"]
    (nameless,) = [each["Name"] for each in mounts if each["Destination"] == "/nameless"]
    with pytest.raises(NotFoundError):
        await backend.remove(Ref.make(Kind.CONTAINER, ref.name[:-1]))
    await backend.remove(ref)

    volumes = {each["Name"] for each in outside.client.volumes()["Volumes"] or ()}
    outside.client.remove_volume(named)
    assert named in volumes
    assert nameless not in volumes


async def test_freezing_twice_is_a_conflict(backend: ContainerBackend, outside: Outside) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    with pytest.raises(ConflictError):
        await backend.resume(ref)
    await backend.pause(ref)
    with pytest.raises(ConflictError) as caught:
        await backend.pause(ref)
    assert "resume" in caught.value.hint
    await backend.resume(ref)


# --- terminals ---------------------------------------------------------------------------------


async def test_a_shell_is_the_best_there_is(backend: ContainerBackend, outside: Outside) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    told, known = await backend.shell(ref), await backend.inspect(ref)

    assert told.argv[-2:] == (known["Id"], "ash")
    assert told.argv[-6:-2] == ("exec", "-it", "--detach-keys", "ctrl-\\")
    assert told.env["DOCKER_HOST"] == outside.engine.url
    assert told.leave


async def test_without_a_shell_there_is_none(
    backend: ContainerBackend, outside: Outside, home: Path
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.without_shell(home))

    with pytest.raises(UnsupportedError, match="open a shell") as caught:
        await backend.shell(ref)
    assert caught.value.hint


@on_docker
async def test_the_client_program_is_needed(
    backend: ContainerBackend,
    outside: Outside,
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    monkeypatch.setenv("PATH", str(home))

    with pytest.raises(ToolMissingError) as caught:
        await backend.attachment(ref)
    assert "apt install docker" in caught.value.hint


def in_terminal(argv: tuple[str, ...], env: dict[str, str]) -> tuple[int, int]:
    """Run in a terminal of its own: pid and the terminal's other end."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], argv, {**os.environ, **env, "TERM": "xterm"})
    return pid, terminal


async def read_until(terminal: int, wanted: bytes) -> bytes:
    said = b""
    os.set_blocking(terminal, False)

    def is_said() -> bool:
        nonlocal said
        with suppress(BlockingIOError):
            said += os.read(terminal, 65536)
        return wanted in said

    await retry_until_async(is_said, timeout=10)
    return said


@pytest.mark.parametrize(("way", "keys"), [("attachment", "\x10\x11"), ("shell", "\x10\x1c")])
async def test_what_is_told_really_leads_inside_and_out_again(
    backend: ContainerBackend, outside: Outside, way: str, keys: str
) -> None:
    require_program(outside.engine.kind)
    ref = Ref.make(Kind.CONTAINER, outside.run("sh", Tty=True, OpenStdin=True))
    told = await getattr(backend, way)(ref)
    pid, terminal = in_terminal(told.argv, dict(told.env))
    try:
        os.write(terminal, b"echo in''side\n")
        await read_until(terminal, b"inside")
        # In a shell ctrl-p is the program's own key. People press one at a time.
        for key in keys:
            os.write(terminal, key.encode())
            await lapse(0.2)
        await retry_until_async(lambda: os.waitpid(pid, os.WNOHANG) != (0, 0), timeout=10)
    finally:
        os.close(terminal)
    assert (await backend.poll()) and (await look(backend, ref)).state is State.RUNNING  # type: ignore[union-attr]
