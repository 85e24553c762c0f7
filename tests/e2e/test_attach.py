"""Handing the terminal over and coming back."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import PROGRAM, Engines, Open, Terminal
from tests.support import TmuxServer, retry_until

pytestmark = pytest.mark.timeout(120)


def attached(terminal: Open, section: str, name: str) -> Terminal:
    """A dashboard that has just handed its terminal to the only sandbox of that name."""
    dashboard = terminal()
    dashboard.shows(name)
    dashboard.press("/")
    dashboard.write(name)
    dashboard.press("Enter", section, "a")
    return dashboard


@pytest.mark.parametrize("leave", [("C-\\",), ("C-b", "d")], ids=["ours", "tmux's"])
def test_attach_to_tmux_and_come_back(
    tmux_server: TmuxServer, terminal: Open, leave: tuple[str, ...]
) -> None:
    tmux_server.new_session("work", "cat", width=100, height=30)
    dashboard = attached(terminal, "2", "work")
    retry_until(lambda: tmux_server.run("list-clients", "-F", "#{client_flags}"), timeout=10)
    dashboard.shows_no_more("sandbox-tui")
    dashboard.write("typed inside")
    retry_until(lambda: "typed inside" in tmux_server.screen("=work:"))

    dashboard.press(*leave)
    dashboard.shows("sandbox-tui", "typed inside", "work")
    assert tmux_server.run("list-sessions", "-F", "#S") == "work"


def test_ctrl_c_in_the_child_leaves_the_dashboard_alive(
    containers: Engines, terminal: Open
) -> None:
    name = containers.run("while :; do echo tick; sleep 0.2; done")
    dashboard = attached(terminal, "3", name)
    dashboard.shows_no_more("sandbox-tui")
    dashboard.shows("tick")
    dashboard.press("C-c")
    dashboard.press("C-\\")

    dashboard.shows("sandbox-tui", name)
    assert not dashboard.ended


def test_a_shell_in_a_container(containers: Engines, terminal: Open) -> None:
    name = containers.run("sleep 1000")
    dashboard = terminal()
    dashboard.shows(name)
    dashboard.press("/")
    dashboard.write(name)
    dashboard.press("Enter", "3", "e")
    dashboard.shows_no_more("sandbox-tui")
    dashboard.write("echo in $((6 * 7)) there")
    dashboard.press("Enter")
    dashboard.shows("in 42 there")
    dashboard.write("exit")
    dashboard.press("Enter")

    dashboard.shows("sandbox-tui", name)
    assert containers.state(name) == "running"


def test_watching_does_not_change_the_size_of_what_is_watched(
    tmux_server: TmuxServer, terminal: Open
) -> None:
    tmux_server.new_session("work", "cat", width=133, height=37)
    dashboard = terminal(width=80, height=24)
    dashboard.shows("● work")
    dashboard.press("2", "Enter")
    tmux_server.run("send-keys", "-t", "=work:", "-l", "seen")
    dashboard.shows("seen")

    assert (
        tmux_server.run("display-message", "-p", "-t", "=work:", "#{window_width}x#{window_height}")
        == "133x37"
    )


def test_inside_the_same_tmux_the_client_is_switched(
    tmux_server: TmuxServer, seat: TmuxServer
) -> None:
    tmux_server.new_session("work", "cat")
    tmux_server.new_session("dash", "cat", width=120, height=40)
    outer = Terminal(
        seat, "env", "-u", "TMUX", "tmux", "-S", str(tmux_server.socket), "attach", "-t", "=dash"
    )
    retry_until(lambda: tmux_server.run("list-clients"))
    tmux_server.run("respawn-pane", "-k", "-t", "=dash:", *PROGRAM)
    outer.shows("● work", "palette")
    outer.press("/")
    outer.write("work")
    outer.press("Enter", "2", "a")

    shown = "#{client_control_mode} #{session_name}"
    retry_until(lambda: "0 work" in tmux_server.run("list-clients", "-F", shown))
