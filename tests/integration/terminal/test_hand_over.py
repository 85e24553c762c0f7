"""A person at a real terminal: this program hands it to another one and gets it back."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator

import pytest

from sandbox_tui.runtime.child import resize
from tests.person import Person
from tests.support import TmuxServer, retry_until

HOST = """
import sys, termios
from sandbox_tui.runtime.terminal import hand_over
print("READY", flush=True)
before = termios.tcgetattr(0)
fate = hand_over(sys.argv[1:])
same = termios.tcgetattr(0) == before
print("FATE", fate.exit_code, fate.signal, fate.left_by_key, "restored" if same else "spoilt")
print("NEXT", input(), flush=True)
"""


@pytest.fixture
def person() -> Iterator[Callable[..., Person]]:
    with contextlib.ExitStack() as stack:

        def sit_down(*argv: str, host: str = HOST) -> Person:
            return stack.enter_context(Person(sys.executable, "-c", host, *argv))

        yield sit_down


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_passes_output_through_and_tells_the_exit_code(person: Callable[..., Person]) -> None:
    one = person("sh", "-c", "echo hello; exit 7")
    one.sees("hello\r\n")
    one.sees("FATE 7 None False restored")


def test_a_terminal_that_others_left_without_waiting_is_waited_for(
    person: Callable[..., Person],
) -> None:
    around = "hand_over(sys.argv[1:])"
    host = HOST.replace(
        f"fate = {around}",
        f"import os\nos.set_blocking(1, False)\nfate = {around}\nos.set_blocking(1, True)",
    )
    one = person("sh", "-c", "seq 50000; exit 4", host=host)
    one.sees("FATE 4 None False restored")
    assert "\r\n49999\r\n50000\r\n" in one.seen


def test_tells_the_signal_that_ended_it(person: Callable[..., Person]) -> None:
    one = person("sh", "-c", "kill -9 $$")
    one.sees("FATE None 9 False restored")


def test_ctrl_c_ends_the_child_and_not_us(person: Callable[..., Person]) -> None:
    one = person("sh", "-c", "echo up; sleep 60")
    one.sees("up")
    one.types(b"\x03")
    one.sees("FATE (None 2|130 None) False restored")


def test_ctrl_z_is_a_byte_for_the_child(person: Callable[..., Person]) -> None:
    one = person("sh", "-c", "stty raw -echo; echo up; dd bs=1 count=1 2>/dev/null | od -An -tx1")
    one.sees("up")
    one.types(b"\x1a")
    one.sees("1a")
    one.sees("FATE 0 None False restored")


@pytest.mark.parametrize("key", [b"\x1c", b"\x1b[92;5u", b"\x1b[92;133:1u", b"\x1b[27;5;92~"])
def test_the_leave_key_comes_back_and_ends_the_child(
    person: Callable[..., Person], key: bytes
) -> None:
    one = person("sh", "-c", "stty raw -echo; echo pid $$; exec sleep 60")
    pid = int(one.sees(r"pid (\d+)")[1])
    one.types(key)
    one.sees("FATE None 1 True restored")
    assert gone(pid)


def test_the_leave_key_may_arrive_in_pieces(person: Callable[..., Person]) -> None:
    one = person("sh", "-c", "stty raw -echo; echo up; exec cat")
    one.sees("up")
    one.types(b"\x1b[92")
    one.types(b";5u")
    one.sees("FATE None 1 True restored")


def test_a_child_that_will_not_go_is_killed(person: Callable[..., Person]) -> None:
    one = person("sh", "-c", "trap '' HUP TERM; echo up; while :; do sleep 1; done")
    one.sees("up")
    one.types(b"\x1c")
    one.sees("FATE None 9 True restored")


def test_what_was_typed_meanwhile_is_dropped(person: Callable[..., Person]) -> None:
    one = person("sleep", "60")
    one.sees("READY")
    retry_until(lambda: not termios.tcgetattr(one.child.fd)[3] & termios.ICANON, what="raw mode")
    one.types(b"\x1cghost")
    one.sees("FATE")
    one.types(b"real\r")
    one.sees("NEXT real")


def test_a_change_of_size_is_passed_on(person: Callable[..., Person]) -> None:
    one = person("sh", "-c", "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done")
    one.sees("24 80")
    resize(one.child.fd, (132, 43))
    one.sees("43 132")
    one.types(b"\x1c")
    one.sees("FATE")


def test_in_another_thread_sizes_are_passed_on_too(person: Callable[..., Person]) -> None:
    host = (
        "import sys, threading\nfrom sandbox_tui.runtime.terminal import hand_over\n"
        "work = threading.Thread(target=lambda: print('FATE', hand_over(sys.argv[1:])))\n"
        "work.start()\nwork.join()"
    )
    one = person(
        "sh", "-c", "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done", host=host
    )
    one.sees("24 80")
    resize(one.child.fd, (99, 33))
    one.sees("33 99")
    one.types(b"\x1c")
    one.sees("FATE")


def test_a_program_that_leaves_a_process_behind_does_not_hold_us(
    person: Callable[..., Person],
) -> None:
    one = person("sh", "-c", "trap '' HUP; sleep 20 & echo pid $!; exit 3")
    pid = int(one.sees(r"pid (\d+)")[1])
    one.sees("FATE 3 None False restored", timeout=5)
    os.kill(pid, signal.SIGKILL)


def test_a_big_paste_and_its_echo_do_not_lock_up(person: Callable[..., Person]) -> None:
    one = person("sh", "-c", "stty raw -echo; echo up; head -c 300000 | tr a b; echo; echo done")
    one.sees("up")

    def paste() -> None:
        left = b"a" * 300_000
        while left:
            try:
                left = left[os.write(one.child.fd, left[:4096]) :]
            except BlockingIOError:
                continue

    pasting = threading.Thread(target=paste, daemon=True)
    pasting.start()
    one.sees("done", timeout=30)
    pasting.join(5)
    assert one.seen.count("b") >= 300_000


def test_modes_of_a_child_that_is_left_are_undone(person: Callable[..., Person]) -> None:
    modes = r"\033[?1049h\033[?1003h\033[?2004h\033[>1u\033[?25l"
    one = person("sh", "-c", f"stty raw; printf '{modes}up'; exec sleep 60")
    one.sees("up")
    one.types(b"\x1b[92;5u")
    one.sees("FATE")
    for undone in ("\x1b[?1049l", "\x1b[?1003l", "\x1b[?2004l", "\x1b[<1u", "\x1b[?25h"):
        assert undone in one.seen


def test_a_child_without_an_alternate_screen_moves_no_cursor(
    person: Callable[..., Person],
) -> None:
    one = person("true")
    one.sees("FATE 0")
    assert "1049" not in one.seen


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_us_gives_the_terminal_back_first(
    person: Callable[..., Person], signum: signal.Signals
) -> None:
    one = person("sh", "-c", "echo pid $$; exec sleep 60")
    before = termios.tcgetattr(one.child.fd)
    pid = int(one.sees(r"pid (\d+)")[1])
    os.kill(one.child.pid, signum)
    one.sees(re.escape("\x1b[?25h"))
    assert one.ended.wait(5)
    assert one.child.wait_status is not None
    assert os.waitstatus_to_exitcode(one.child.wait_status) == -signum
    assert termios.tcgetattr(one.child.fd)[3] == before[3]
    assert gone(pid)


def test_a_terminal_that_goes_away_takes_everything_with_it(
    person: Callable[..., Person],
) -> None:
    one = person("sh", "-c", "trap '' HUP; echo pid $$; while :; do sleep 1; done")
    pid = int(one.sees(r"pid (\d+)")[1])
    os.dup2(os.open(os.devnull, os.O_RDWR), one.child.fd)
    assert one.ended.wait(8)
    assert gone(pid)


def test_an_unknown_program_says_so_and_spoils_nothing(person: Callable[..., Person]) -> None:
    one = person("no-such-program-here")
    one.sees("ToolMissingError.*no-such-program-here is not installed")


def test_without_a_terminal_there_is_a_clear_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox_tui.model.errors import TerminalNeededError
    from sandbox_tui.runtime.terminal import hand_over

    monkeypatch.setattr("os.isatty", lambda fd: fd != 0)
    with pytest.raises(TerminalNeededError, match="needs a terminal"):
        hand_over(["true"])


def test_leaving_tmux_detaches_and_the_session_lives(
    person: Callable[..., Person], tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("work", "sh")
    one = person("tmux", "-S", str(tmux_server.socket), "attach", "-t", "=work")
    retry_until(lambda: tmux_server.run("list-clients"))
    one.types(b"echo in''side\r")
    one.sees("inside")
    one.types(b"\x1c")
    one.sees("FATE .* True restored")
    assert tmux_server.run("list-sessions", "-F", "#{session_name}") == "work"
    retry_until(lambda: not tmux_server.run("list-clients"))
    assert "\x1b[?1049l" in one.seen


def test_tmux_own_detach_key_ends_it_too(
    person: Callable[..., Person], tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("work", "sh")
    one = person("tmux", "-S", str(tmux_server.socket), "attach", "-t", "=work")
    retry_until(lambda: tmux_server.run("list-clients"))
    one.leaves(tmux_server)
    one.sees("FATE 0 None False restored")
