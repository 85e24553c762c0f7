"""One kernel, without a room: what it runs, how it is interrupted, how it ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.kernel import Kernel, KernelStatus
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.backends.kernels.messages import Began, Cleared, Updated
from sandbox_tui.model.errors import InvalidSpecError, StartFailedError
from sandbox_tui.model.outputs import Display, Outcome, Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from tests.integration.kernels.listener import Ears
from tests.support import assert_within, retry_until_async
from tests.system import exists, in_session, mode_of, names_in

LAB = Ref("room:lab")


@pytest.fixture
async def kernel(host: KernelHost, ears: Ears) -> Kernel:
    return await host.start(KernelRequest(owner=LAB), ears)


async def run(kernel: Kernel, code: str, timeout: float | None = None) -> Result:
    async with asyncio.timeout(30):
        return await kernel.run(Execution(LAB, code), timeout=timeout)


def assert_prompt(took: list[float]) -> None:
    """Half a second is promised of an interrupt; one that has to be repeated takes another."""
    assert_within(took, 0.5, worst=2.0)


# --- what it runs -----------------------------------------------------------------------------


async def test_a_value_is_a_display_with_its_count(kernel: Kernel) -> None:
    result = await run(kernel, "6 * 7")
    assert result.outcome is Outcome.OK
    assert result.display == (Display({"text/plain": "42"}, {}, 1),)
    assert (result.execution_count, kernel.execution_count) == (1, 1)
    assert kernel.status is KernelStatus.IDLE


async def test_streams_are_told_apart_and_keep_their_order(kernel: Kernel) -> None:
    code = "import sys; print('a'); print('b', file=sys.stderr); print('ü🙂')"
    result = await run(kernel, code)
    assert result.stdout == "a\nü🙂\n"
    assert result.stderr == "b\n"


async def test_the_first_run_has_no_start_up_noise(kernel: Kernel) -> None:
    result = await run(kernel, "print('only this')")
    assert result.outputs == (Text("stdout", "only this\n"),)


async def test_an_error_is_a_result_with_its_traceback(kernel: Kernel) -> None:
    result = await run(kernel, "1 / 0")
    assert result.outcome is Outcome.ERROR
    assert result.error is not None
    assert result.error.name == "ZeroDivisionError"
    assert any("ZeroDivisionError" in line for line in result.error.traceback)


async def test_rich_values_updates_and_clearing_are_heard(kernel: Kernel, ears: Ears) -> None:
    code = """
from IPython.display import HTML, display, clear_output
shown = display(HTML("<b>1</b>"), display_id="here")
shown.update(HTML("<b>2</b>"))
clear_output(wait=True)
"""
    result = await run(kernel, code)
    assert [value.data["text/html"] for value in result.display] == ["<b>1</b>", "<b>2</b>"]
    kinds = [type(event) for _, event in ears.events]
    assert kinds == [Began, Display, Updated, Cleared]


async def test_text_that_is_not_unicode_arrives(kernel: Kernel) -> None:
    result = await run(kernel, r"print('caf\udce9 end')")
    assert result.stdout.endswith(" end\n")
    result.stdout.encode()


async def test_input_fails_at_once_with_a_clear_error(kernel: Kernel) -> None:
    result = await run(kernel, "input('name? ')")
    assert result.error is not None
    assert result.error.name == "StdinNotImplementedError"
    assert (await run(kernel, "1")).ok


async def test_environment_and_folder(host: KernelHost, ears: Ears, home: Path) -> None:
    request = KernelRequest(owner=LAB, working_dir=str(home), env={"COLOUR": "grün"})
    kernel = await host.start(request, ears)
    result = await run(kernel, "import os; print(os.getcwd(), os.environ['COLOUR'])")
    assert result.stdout == f"{home} grün\n"


async def test_its_sockets_are_files_for_the_user_only(kernel: Kernel) -> None:
    folder = Path(kernel.record.connection_file).parent
    assert names_in(folder) == ["connection.json", "s-1", "s-2", "s-3", "s-4", "s-5"]
    assert mode_of(folder) == 0o700
    assert mode_of(folder / "connection.json") == 0o600


async def test_a_long_runtime_folder_still_gives_short_socket_paths(
    home: Path, state: Path, ears: Ears
) -> None:
    host = KernelHost(home / ("deep" * 20), state)
    kernel = await host.start(KernelRequest(owner=LAB), ears)
    assert (await run(kernel, "1")).ok
    await host.end(kernel)
    assert not exists(Path(kernel.record.connection_file).parent)
    await host.aclose()


async def test_its_namespace_and_path_are_those_of_any_kernel(
    host: KernelHost, kernel: Kernel, ears: Ears
) -> None:
    code = "import sys; print([name for name in dir() if name[0] != '_'], sys.path)"
    plain = await host.start(KernelRequest(owner=LAB, kernel="python3"), ears)
    assert (await run(kernel, code)).stdout == (await run(plain, code)).stdout


# --- much output ------------------------------------------------------------------------------


async def test_ten_thousand_flushed_prints_arrive_in_few_pieces(kernel: Kernel) -> None:
    result = await run(kernel, "for i in range(10_000): print(i, flush=True)")
    assert result.stdout == "".join(f"{i}\n" for i in range(10_000))
    assert len(result.outputs) < 2_000


async def test_a_flushed_print_wakes_the_publishing_thread_once(kernel: Kernel) -> None:
    """Besides a timer every now and then: it takes the processor from the code that prints."""
    code = """
import sys
pipe = sys.stdout.pub_thread._event_pipe
class Counting:
    sent = 0
    def send(self, nothing):
        self.sent += 1
        pipe.send(nothing)
sys.stdout.pub_thread._local.event_pipe = counting = Counting()
for n in range(1000): print(n, flush=True)
sys.stdout.pub_thread._local.event_pipe = pipe
assert 1000 <= counting.sent < 1100, counting.sent
"""
    assert (await run(kernel, code)).outcome is Outcome.OK


async def test_text_keeps_its_place_among_what_is_shown(kernel: Kernel) -> None:
    code = "for n in range(300): print(n, flush=n % 3 == 0); display(n)"
    result = await run(kernel, code)
    told = [
        output.text.strip() if isinstance(output, Text) else output.data["text/plain"]  # type: ignore[union-attr]
        for output in result.outputs
    ]
    assert told == [str(n) for n in range(300) for _ in range(2)]


async def test_text_comes_by_itself_after_some_that_was_flushed(kernel: Kernel, ears: Ears) -> None:
    code = "import time; print('now', flush=True); print('soon'); time.sleep(60)"
    running = asyncio.create_task(run(kernel, code))
    await retry_until_async(lambda: "soon" in str(ears.events[1:]))
    await kernel.interrupt()
    assert (await running).stdout == "now\nsoon\n"


async def test_what_a_child_and_a_thread_print_arrives(kernel: Kernel) -> None:
    code = """
from multiprocessing import get_context
from threading import Thread
for kind in (get_context("fork").Process, Thread):
    other = kind(target=print, args=(kind.__name__,), kwargs={"flush": True})
    other.start()
    other.join()
"""
    async with asyncio.timeout(30):
        while "ForkProcess" not in (said := (await run(kernel, code)).stdout):
            pass  # what a child says takes a way of its own, and may come after the run
    assert "Thread" in said


async def test_fifty_megabytes_in_one_print_are_cut_to_the_cap(kernel: Kernel) -> None:
    result = await run(kernel, "print('x' * 49_999_999 + 'y')")
    assert result.truncated
    assert result.stdout.endswith("xy\n")
    assert 10_000_000 < len(result.stdout) < 11_000_000


async def test_an_interrupt_is_prompt_while_it_floods(kernel: Kernel) -> None:
    took: list[float] = []
    for _ in range(3):
        flood = asyncio.create_task(run(kernel, "while True: print('x' * 1000, flush=True)"))
        await retry_until_async(lambda: kernel.status is KernelStatus.BUSY)
        began = time.monotonic()
        await kernel.interrupt()
        result = await flood
        took.append(time.monotonic() - began)
        assert result.outcome is Outcome.CANCELLED
    assert_prompt(took)


# --- interrupts -------------------------------------------------------------------------------

ENDLESS = {
    "sleep": "import time; print('up'); time.sleep(60)",
    "busy loop": "print('up')\nwhile True: pass",
    "print loop": "while True: print('up')",
    "subprocess": "import subprocess as s; p = s.Popen(['sleep', '60']); print('up'); p.wait()",
    "await": "import asyncio; print('up'); await asyncio.sleep(60)",
}


@pytest.mark.parametrize("code", ENDLESS.values(), ids=ENDLESS.keys())
async def test_an_interrupt_ends_it_and_the_next_cell_runs_at_once(
    kernel: Kernel, code: str
) -> None:
    took: list[float] = []
    for _ in range(3):
        execution = Execution(LAB, code)
        running = asyncio.create_task(kernel.run(execution))
        await retry_until_async(execution.peek)
        began = time.monotonic()
        await kernel.interrupt()
        result = await running
        assert (await run(kernel, "1")).ok
        took.append(time.monotonic() - began)
        assert result.outcome is Outcome.CANCELLED
        assert result.error is not None
        assert result.error.name == "KeyboardInterrupt"
    assert_prompt(took)


async def test_an_interrupt_right_after_the_start_of_a_run_is_not_lost(kernel: Kernel) -> None:
    took: list[float] = []
    for _ in range(20):
        running = asyncio.create_task(run(kernel, "import time; time.sleep(60)"))
        await asyncio.sleep(0)
        began = time.monotonic()
        await kernel.interrupt()
        result = await running
        took.append(time.monotonic() - began)
        assert result.outcome is Outcome.CANCELLED
        assert result.error is not None
        assert result.error.name == "KeyboardInterrupt"
    assert_prompt(took)


async def test_an_interrupt_of_an_idle_kernel_harms_nothing(kernel: Kernel) -> None:
    await kernel.interrupt()
    assert (await run(kernel, "1")).ok


async def test_time_that_is_up_really_ends_the_code(kernel: Kernel) -> None:
    began = time.monotonic()
    result = await run(kernel, "while True: pass", timeout=0.3)
    assert result.outcome is Outcome.TIMED_OUT
    assert time.monotonic() - began < 1.0
    assert (await run(kernel, "1")).ok


async def test_code_that_defies_is_interrupted_again(kernel: Kernel) -> None:
    code = """
import time
for _ in range(2):
    try: time.sleep(60)
    except KeyboardInterrupt: print('no', flush=True)
"""
    running = asyncio.create_task(run(kernel, code))
    await retry_until_async(lambda: kernel.status is KernelStatus.BUSY)
    await kernel.interrupt()
    result = await running
    assert result.stdout == "no\nno\n"


# --- ends -------------------------------------------------------------------------------------


async def test_a_death_is_told_within_a_second_with_its_code(kernel: Kernel, ears: Ears) -> None:
    began = time.monotonic()
    result = await run(kernel, "import os; os._exit(3)")
    assert time.monotonic() - began < 1.0
    assert (result.outcome, result.exit_code) == (Outcome.DIED, 3)
    assert result.detail == "kernel died: exit code 3"
    await retry_until_async(lambda: kernel.status is KernelStatus.DEAD)
    assert kernel.exit is not None
    assert kernel.exit.code == 3
    assert (await run(kernel, "1")).outcome is Outcome.DIED


async def test_a_crash_says_which_signal_and_what_the_process_said(kernel: Kernel) -> None:
    code = """
import os
here = '/proc/self/fd/'
open_files = [(fd, here + str(fd)) for fd in range(100) if os.path.lexists(here + str(fd))]
log = next(fd for fd, link in open_files if os.readlink(link).endswith('.log'))
os.write(log, b'last words')
os.kill(os.getpid(), 11)
"""
    result = await run(kernel, code)
    assert result.outcome is Outcome.DIED
    assert result.exit_code == 128 + 11
    assert "signal 11" in result.detail
    assert result.stderr == "last words\n"


async def test_a_death_takes_the_children_along(kernel: Kernel) -> None:
    await run(kernel, "import subprocess; subprocess.Popen(['sleep', '300'])")
    assert len(in_session(kernel.pid)) == 2
    os.kill(kernel.pid, signal.SIGKILL)
    await retry_until_async(lambda: not in_session(kernel.pid))


async def test_stops_of_its_own_children_are_fast_and_leave_nothing(
    host: KernelHost, ears: Ears, home: Path, state: Path
) -> None:
    for _ in range(5):  # two hundred of those that are forked: `test_ready.py`
        kernel = await host.start(KernelRequest(owner=LAB), ears)
        began = time.monotonic()
        await host.end(kernel)
        assert time.monotonic() - began < 1.0
        assert not in_session(kernel.pid)
    assert names_in(home / "run") == []
    assert names_in(state) == []


async def test_a_stop_ends_what_runs_and_what_ignores_it(host: KernelHost, kernel: Kernel) -> None:
    code = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(['sh', '-c', 'trap "" TERM; sleep 300'])
print('up', flush=True)
time.sleep(300)
"""
    execution = Execution(LAB, code)
    running = asyncio.create_task(kernel.run(execution))
    await retry_until_async(execution.peek)
    began = time.monotonic()
    await host.end(kernel)
    assert time.monotonic() - began < 1.0
    assert (await running).outcome is Outcome.CANCELLED
    await retry_until_async(lambda: not in_session(kernel.pid))


# --- starts that fail -------------------------------------------------------------------------


async def test_an_unknown_kernel_names_the_installed_ones(host: KernelHost, ears: Ears) -> None:
    with pytest.raises(InvalidSpecError, match=r"'cobol'.*python, python3"):
        await host.start(KernelRequest(owner=LAB, kernel="cobol"), ears)


async def test_a_missing_folder_is_named(host: KernelHost, ears: Ears) -> None:
    with pytest.raises(InvalidSpecError, match="no such folder: /nowhere"):
        await host.start(KernelRequest(owner=LAB, working_dir="/nowhere"), ears)


def install(home: Path, name: str, argv: str, language: str = "python") -> None:
    folder = home / "data/jupyter/kernels" / name
    folder.mkdir(parents=True)
    spec = f'{{"argv": {argv}, "display_name": "{name}", "language": "{language}"}}'
    (folder / "kernel.json").write_text(spec)


async def test_a_kernel_that_does_not_come_up_is_quoted(
    host: KernelHost, ears: Ears, home: Path, state: Path
) -> None:
    install(home, "broken", '["python", "-c", "import nothing_like_it"]')
    with pytest.raises(StartFailedError, match=r"exit code 1(.|\n)*nothing_like_it") as failed:
        await host.start(KernelRequest(owner=LAB, kernel="broken"), ears)
    assert failed.value.ref == LAB
    assert names_in(state) == []
    assert names_in(home / "run") == []


async def test_a_kernel_that_never_answers_is_ended(
    host: KernelHost, ears: Ears, home: Path, state: Path
) -> None:
    install(home, "silent", '["sleep", "300"]')
    with pytest.raises(StartFailedError, match=r"no answer within 0\.4 s"):
        await host.start(KernelRequest(owner=LAB, kernel="silent"), ears, timeout=0.4)
    assert names_in(state) == []


async def test_a_program_that_is_not_there_is_named(
    host: KernelHost, ears: Ears, home: Path, state: Path
) -> None:
    install(home, "absent", '["/no/such/program"]')
    with pytest.raises(StartFailedError, match="/no/such/program"):
        await host.start(KernelRequest(owner=LAB, kernel="absent"), ears)
    assert names_in(state) == []


async def test_a_kernelspec_over_tcp_runs(host: KernelHost, ears: Ears, home: Path) -> None:
    argv = '["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]'
    install(home, "over-tcp", argv, language="other")
    kernel = await host.start(KernelRequest(owner=LAB, kernel="over-tcp"), ears)
    assert (await run(kernel, "print(1)")).stdout == "1\n"


async def test_a_kernel_that_wants_messages_is_never_signalled(
    host: KernelHost, ears: Ears, home: Path
) -> None:
    folder = home / "data/jupyter/kernels/polite"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        '{"argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],'
        '"display_name": "p", "language": "python", "interrupt_mode": "message"}'
    )
    kernel = await host.start(KernelRequest(owner=LAB, kernel="polite"), ears)
    running = asyncio.create_task(run(kernel, "import time; time.sleep(60)"))
    await retry_until_async(lambda: kernel.status is KernelStatus.BUSY)
    await kernel.interrupt()
    assert (await running).outcome is Outcome.CANCELLED


# --- a new daemon -----------------------------------------------------------------------------


async def test_a_kernel_is_found_again_with_its_variables(
    host: KernelHost, kernel: Kernel, ears: Ears, home: Path, state: Path
) -> None:
    await run(kernel, "x = 41")
    await host.aclose()
    heir = KernelHost(home / "run", state)
    began = time.monotonic()
    [found], dead = await heir.adopt(lambda _: ears)
    assert time.monotonic() - began < 0.5
    assert (dead, found.pid, found.status) == ([], kernel.pid, KernelStatus.IDLE)
    assert (await run(found, "x + 1")).display[0].data == {"text/plain": "42"}
    await heir.end(found)
    assert not in_session(kernel.pid)
    await heir.aclose()


async def test_a_busy_kernel_is_found_busy_and_then_idle(
    host: KernelHost, kernel: Kernel, ears: Ears, home: Path, state: Path
) -> None:
    running = asyncio.create_task(run(kernel, "import time; time.sleep(2); y = 1"))
    await retry_until_async(lambda: kernel.status is KernelStatus.BUSY)
    await host.aclose()
    left = await running
    assert left.outcome is Outcome.CANCELLED
    assert "its kernel goes on" in left.detail
    heir = KernelHost(home / "run", state)
    [found], _ = await heir.adopt(lambda _: ears)
    assert found.runs_unheard
    assert found.status is KernelStatus.BUSY
    await retry_until_async(lambda: found.status is KernelStatus.IDLE)
    assert not found.runs_unheard
    assert (await run(found, "y")).display[0].data == {"text/plain": "1"}
    await heir.end(found)
    await heir.aclose()


async def test_a_kernel_that_died_meanwhile_is_reported(
    host: KernelHost, kernel: Kernel, ears: Ears, home: Path, state: Path
) -> None:
    await host.aclose()
    os.killpg(kernel.pid, signal.SIGKILL)
    await retry_until_async(lambda: not in_session(kernel.pid))
    heir = KernelHost(home / "run", state)
    living, [dead] = await heir.adopt(lambda _: ears)
    assert (living, dead.owner) == ([], LAB)
    assert names_in(state) == []
    await heir.aclose()


async def test_a_kernel_that_cannot_be_reached_any_more_is_ended(
    host: KernelHost, kernel: Kernel, ears: Ears, home: Path, state: Path
) -> None:
    await host.aclose()
    shutil.rmtree(home / "run")
    heir = KernelHost(home / "run", state)
    living, [dead] = await heir.adopt(lambda _: ears)
    assert (living, dead.pid) == ([], kernel.pid)
    await retry_until_async(lambda: not in_session(kernel.pid))
    await heir.aclose()


async def test_a_kernelspec_of_a_missing_provisioner_is_refused(
    host: KernelHost, ears: Ears, home: Path
) -> None:
    folder = home / "data/jupyter/kernels/far"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        '{"argv": ["x"], "display_name": "f", "language": "python",'
        '"metadata": {"kernel_provisioner": {"provisioner_name": "yarn"}}}'
    )
    with pytest.raises(InvalidSpecError, match="far wants a kernel provisioner"):
        await host.start(KernelRequest(owner=LAB, kernel="far"), ears)


async def test_an_adopted_kernel_that_dies_is_noticed(
    host: KernelHost, kernel: Kernel, ears: Ears, home: Path, state: Path
) -> None:
    await host.aclose()
    heir = KernelHost(home / "run", state)
    [found], _ = await heir.adopt(lambda _: ears)
    result = await run(found, "import os; os._exit(3)")
    assert result.outcome is Outcome.DIED
    await retry_until_async(lambda: found.status is KernelStatus.DEAD)
    await heir.aclose()
