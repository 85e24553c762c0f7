"""The dashboard over real tmux, a real engine and real kernels, used by its keys."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, Engines, Open, Terminal, without_tmux
from tests.support import TmuxServer, retry_until

pytestmark = pytest.mark.timeout(120)


def test_a_line_in_the_shown_session_is_on_the_screen(
    tmux_server: TmuxServer, terminal: Open
) -> None:
    tmux_server.new_session("work", "cat")
    dashboard = terminal()
    dashboard.shows("tmux 1", "work")
    dashboard.press("2")
    tmux_server.run("send-keys", "-t", "=work:", "-l", "said over there")

    dashboard.shows("said over there")


def test_text_is_sent_to_a_session(tmux_server: TmuxServer, terminal: Open) -> None:
    tmux_server.new_session("work", "cat")
    dashboard = terminal()
    dashboard.shows("● work")
    dashboard.press("2", "s")
    dashboard.shows("send to work")
    dashboard.write("#{hello}; [/red]")
    dashboard.press("Enter")

    retry_until(lambda: "#{hello}; [/red]" in tmux_server.screen("=work:"))
    dashboard.shows("#{hello}; [/red]")


def test_a_container_is_stopped_by_key_and_confirmation(
    containers: Engines, terminal: Open
) -> None:
    name = containers.run("sleep 1000")
    dashboard = terminal()
    dashboard.shows("containers", name)
    dashboard.press("/")
    dashboard.write(name)
    dashboard.press("Enter")
    dashboard.press("3", "S")
    dashboard.shows(f"container:{name}")
    assert containers.state(name) == "running"
    dashboard.press("y")

    retry_until(lambda: containers.state(name) == "exited", timeout=20)
    dashboard.shows("signal 15")


def test_a_confirmation_can_be_declined(containers: Engines, terminal: Open) -> None:
    name = containers.run("sleep 1000")
    dashboard = terminal("demo")
    dashboard.shows("postgres")
    dashboard.press("q")
    retry_until(lambda: dashboard.ended)

    dashboard = terminal()
    dashboard.shows(name)
    dashboard.press("/")
    dashboard.write(name)
    dashboard.press("Enter", "3", "D")
    dashboard.shows(f"container:{name}")
    dashboard.press("Escape")
    dashboard.shows_no_more(f"container:{name}")

    assert containers.state(name) == "running"


def test_a_cell_is_run_from_the_palette(cli: Callable[..., str], terminal: Open) -> None:
    cli("room", "new", "notes")
    dashboard = terminal()
    dashboard.shows("notes")
    dashboard.press("4", ":")
    dashboard.write("run cell in notes")
    dashboard.press("Enter")
    dashboard.write("print(6 * 7)")
    dashboard.press("Enter")

    dashboard.shows("print(6 * 7)", "42", "In[1]")
    assert "42" in cli("room", "cells", "notes")


def test_code_is_typed_into_a_room(cli: Callable[..., str], terminal: Open) -> None:
    cli("room", "new", "notes")
    dashboard = terminal()
    dashboard.shows("notes")
    dashboard.press("4", "s")
    dashboard.write("'é' * 3")
    dashboard.press("Enter")

    dashboard.shows("ééé")


@pytest.mark.parametrize("how", ["kill-server", "SIGKILL"])
def test_the_server_dies_the_section_says_so_and_it_recovers(
    tmux_server: TmuxServer, terminal: Open, how: str
) -> None:
    tmux_server.new_session("work", "cat")
    dashboard = terminal()
    dashboard.shows("● work", "tmux ●1")
    if how == "SIGKILL":
        os.kill(tmux_server.pid, signal.SIGKILL)
    else:
        tmux_server.kill()
    dashboard.shows("tmux ✕", "the server is gone", "work")

    tmux_server.start()
    tmux_server.new_session("again", "cat")
    dashboard.shows("again", "tmux ●1")


def test_a_session_with_a_name_like_markup_is_shown_as_it_is(
    tmux_server: TmuxServer, terminal: Open
) -> None:
    hostile = "printf '\\033[2J\\033[H\\033]0;t\\007[bold]no markup[/bold] \\377'; cat"
    tmux_server.new_session("[/red]x", hostile)
    dashboard = terminal()
    dashboard.shows("[/red]x")
    dashboard.press("2")

    dashboard.shows("[/red]x", "[bold]no markup[/bold]")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_it_fills_every_width(
    tmux_server: TmuxServer, terminal: Open, width: int, height: int
) -> None:
    tmux_server.new_session("work", "cat")
    dashboard = terminal(width=width, height=height)
    screen = dashboard.shows("● work", "palette")

    assert max(map(len, screen.splitlines())) <= width
    assert len(screen.splitlines()) == height


def test_quitting_leaves_the_sessions_and_no_process(
    tmux_server: TmuxServer, terminal: Open
) -> None:
    tmux_server.new_session("work", "cat")
    dashboard = terminal()
    dashboard.shows("● work")
    family = descendants(dashboard.pid)
    dashboard.press("C-q")
    dashboard.press("q")
    retry_until(lambda: dashboard.ended)

    retry_until(lambda: not any(map(lives, family)))
    assert tmux_server.run("list-sessions", "-F", "#S") == "work"


def test_a_closed_terminal_leaves_no_process(tmux_server: TmuxServer, terminal: Open) -> None:
    tmux_server.new_session("work", "cat")
    dashboard = terminal()
    dashboard.shows("● work")
    family = [dashboard.pid, *descendants(dashboard.pid)]
    dashboard.close()

    retry_until(lambda: not any(map(lives, family)), timeout=10)
    assert tmux_server.run("list-sessions", "-F", "#S") == "work"


def test_without_a_terminal_it_lists_what_is_there(
    tmux_server: TmuxServer, cli: Callable[..., str]
) -> None:
    tmux_server.new_session("work", "cat")

    assert "tmux:work" in cli()


def descendants(pid: int) -> list[int]:
    """Every process that began under this one."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_session_is_made_with_the_form(tmux_server: TmuxServer, terminal: Open) -> None:
    tmux_server.new_session("work", "cat")
    dashboard = terminal()
    dashboard.shows("tmux 1", "work")
    dashboard.press("2", "n")
    dashboard.shows("session", "folder")
    dashboard.write("fresh")
    dashboard.press("Enter")

    dashboard.shows("tmux 2", "fresh")
    assert "fresh" in tmux_server.run("list-sessions", "-F", "#{session_name}")


def test_a_program_that_was_stopped_paints_everything_when_it_goes_on(
    tmux_server: TmuxServer, seat: TmuxServer, terminal: Open
) -> None:
    tmux_server.new_session("work", "cat")
    shell = Terminal(seat, *without_tmux(), "sh", "-i")
    shell.write(f"{' '.join(PROGRAM)}; echo ended")
    shell.press("Enter")
    shell.shows("tmux 1", "work")
    shell.press("C-z")
    shell.matches("Stopped|suspended")
    shell.write("fg")
    shell.press("Enter")

    shell.shows("tmux 1", "work", ": palette")
    shell.press("q")
    shell.shows("ended")
