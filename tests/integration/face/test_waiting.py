"""The same for callers that wait, many at once, and with functions that are called back."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox_tui.api.containers import Container, Process, StreamChunk
from tests.integration.face.conftest import Make, Outside, on_docker
from tests.support import Engine, retry_until


def test_the_whole_of_it_for_callers_that_wait(make: Make, outside: Outside) -> None:
    with make() as box:
        assert box.run("echo hi").stdout == "hi\n"
        stream = box.run("echo a; echo b >&2", stream=True)
        assert set(stream) == {StreamChunk("stdout", "a\n"), StreamChunk("stderr", "b\n")}
        assert stream.result.ok
        process = box.run("cat /proc/self/comm; sleep 60", detach=True)
        assert isinstance(process, Process)
        retry_until(lambda: process.buffer_size)
        assert process.read().stdout == "cat\n"
        process.kill(9)
        assert process.wait(5).exit_code == 137
        with box.session() as session:
            session.send("x=5")
            assert session.send_and_wait("echo $x").stdout == "5\n"
        assert box.info().status == "running"
        name = box.name
    assert outside.state(name) == ""


def test_leaving_a_stream_early_ends_the_command(make: Make) -> None:
    with make() as box:
        for _ in box.run("echo begun; sleep 92", stream=True):
            break
        retry_until(lambda: "sleep 92" not in box.run("ps").stdout)


def test_functions_hear_everything_in_order_and_may_run_commands(make: Make) -> None:
    heard: list[object] = []

    def on_line(box: Container, data: str) -> None:
        heard.append(data)
        if data == "one\n":
            heard.append(box.run("echo nested").stdout)

    with make() as box:
        box.on_stdout(on_line)
        box.on_stderr(lambda box, data: heard.append((box.name, data)))
        box.on_exit(lambda box, code: heard.append(code))
        result = box.run("echo one; sleep 0.2; echo two >&2; exit 7")

        assert result.exit_code == 7
        assert heard.index("one\n") < heard.index("nested\n") < heard.index((box.name, "two\n"))
        retry_until(lambda: heard.count("nested\n") == 2)
        assert sorted(code for code in heard if isinstance(code, int)) == [0, 7]

        heard.clear()
        box.run("echo three", detach=True).wait(5)
        retry_until(lambda: heard == ["three\n", 0])


def test_an_error_of_a_function_is_the_callers(make: Make) -> None:
    def fail(box: Container, data: str) -> None:
        raise ValueError(data)

    with make() as box:
        box.on_stdout(fail)
        with pytest.raises(ValueError, match="said"):
            box.run("echo said")
        assert box.run("true").ok


@on_docker
@pytest.mark.timeout(120)
def test_fifty_threads_and_fifty_containers_in_one_process(make: Make) -> None:
    def life(number: int) -> list[str]:
        with make(network=False) as box:
            box.on_stdout(lambda _, data: heard.append(data))
            heard: list[str] = []
            said = [box.run(f"echo {number} {turn}").stdout for turn in range(5)]
            assert heard == said
            return said

    with ThreadPoolExecutor(50) as threads:
        said = list(threads.map(life, range(50)))

    assert said == [[f"{number} {turn}\n" for turn in range(5)] for number in range(50)]


@on_docker
def test_ctrl_c_leaves_nothing_running(engine: Engine, outside: Outside) -> None:
    name = outside.run("sleep", "1000")
    code = f"""
import os, signal, threading
from sandbox_tui.api.containers import resume_container
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored below a shell's &
box = resume_container({name!r}, socket_path={engine.url!r})
box.run("true")
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    box.run("sleep 91", timeout=50)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )

    assert done.stdout == "interrupted\n", done.stderr
    running = [row[-1] for row in outside.client.top(name)["Processes"]]
    assert not [command for command in running if "sleep 91" in command]


@on_docker
def test_the_sync_face_is_refused_on_its_own_loop(make: Make) -> None:
    with make() as box, pytest.raises(RuntimeError, match="own event loop"):
        box.portal.call(_on_the_loop(box))


async def _on_the_loop(box: Container) -> None:
    box.run("echo")
