"""Listings taken apart, whatever names, titles, folders and programs are called."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.tmux import formats
from sandbox_tui.backends.tmux.formats import Marker, Pane, parse_panes, sandboxes
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.world import State, TmuxFacts

HERE = Place(Kind.TMUX)

PANE = Pane(
    session_id="$1",
    session_created="1795221012",
    session_windows="1",
    window_active="1",
    pane_active="1",
    pane_id="%1",
    pane_pid="4242",
    pane_dead="0",
    pane_dead_status="",
    pane_dead_signal="",
    server_pid="77",
    session_name="web",
    title="",
    marker="",
    command="vim",
    path="/srv",
)
OTHER = PANE._replace(pane_id="%2", window_active="0")
DEAD = {"pane_dead": "1", "pane_dead_status": "3"}


def printed(*panes: Pane) -> bytes:
    """What tmux prints for them: the listing's own format, filled in."""
    lines: list[str] = []
    for pane in panes:
        text = formats.PANES
        for name, field in _FIELDS.items():
            text = text.replace(f"#{{{name}}}", str(getattr(pane, field)))
        lines.append(text)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


_FIELDS = {
    name: name
    for name in Pane._fields
    if name not in ("server_pid", "title", "marker", "command", "path")
}
_FIELDS |= {
    "pid": "server_pid",
    "pane_title": "title",
    formats.MARKER: "marker",
    "pane_current_command": "command",
    "pane_current_path": "path",
}


def test_nothing_is_nothing() -> None:
    assert parse_panes(b"") == []


CLEAN = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="#"))
ANY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0#"))


@given(st.lists(st.tuples(CLEAN, CLEAN, ANY, ANY), max_size=4))
def test_any_name_comes_back(names: list[tuple[str, str, str, str]]) -> None:
    panes = [
        PANE._replace(session_name=name, title=title, command=command, path="/" + path + "x")
        for name, title, command, path in names
    ]

    assert parse_panes(printed(*panes)) == panes


@pytest.mark.parametrize("rubbish", [b"no sessions", b"a\tb\tc", b"%begin 1 2 3\n"])
def test_what_is_no_listing_has_no_panes(rubbish: bytes) -> None:
    assert parse_panes(rubbish) == []


def test_a_listing_that_is_cut_off_is_refused() -> None:
    whole = printed(PANE, OTHER)
    with pytest.raises((ValueError, TypeError)):
        parse_panes(whole[: len(whole) - len("vim/srv") - 20])


def test_a_session() -> None:
    (box,) = sandboxes([PANE, OTHER], {"$1": 2}, HERE)

    assert (box.ref, box.state, box.pid) == (Ref("tmux:web"), State.RUNNING, 4242)
    assert box.created_at == 1795221012.0
    assert not box.managed
    assert box.facts == TmuxFacts(
        session_id="$1", pane_id="%1", windows=1, attached=2, command="vim", path="/srv"
    )


def test_it_lives_while_any_pane_does() -> None:
    (box,) = sandboxes([PANE._replace(**DEAD), OTHER], {}, HERE)

    assert box.state is State.RUNNING
    assert box.pid is None


def test_it_has_exited_when_all_panes_have() -> None:
    (box,) = sandboxes([PANE._replace(**DEAD)], {}, HERE)

    assert (box.state, box.exit_code, box.pid) == (State.EXITED, 3, None)


def test_a_signal_is_told() -> None:
    killed = PANE._replace(pane_dead="1", pane_dead_signal="9")
    (box,) = sandboxes([killed], {}, HERE)

    assert isinstance(box.facts, TmuxFacts)
    assert (box.state, box.exit_code, box.facts.dead_signal) == (State.EXITED, None, 9)
    assert box.detail == "signal 9"


def test_a_pane_without_a_status_yet_still_runs() -> None:
    (box,) = sandboxes([PANE._replace(pane_dead="1")], {}, HERE)

    assert box.state is State.RUNNING


def test_its_marker_says_that_it_is_ours() -> None:
    marker = msgspec.json.encode(Marker(("a", "b"), {"team": "x\ty"})).decode()
    (box,) = sandboxes(parse_panes(printed(PANE._replace(marker=marker))), {}, HERE)

    assert box.managed
    assert box.labels == {"team": "x\ty"}


@pytest.mark.parametrize("marker", ["{", "[]", '{"labels": 3}', "a\tb"])
def test_a_marker_of_somebody_else_is_none(marker: str) -> None:
    (box,) = sandboxes(parse_panes(printed(PANE._replace(marker=marker))), {}, HERE)

    assert not box.managed


def test_a_title_that_is_the_host_name_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_host_names", lambda: frozenset({"", "box"}))
    titles = [sandboxes([PANE._replace(title=t)], {}, HERE)[0].title for t in ("box", "", "notes")]

    assert titles == ["vim", "vim", "notes"]


def test_a_socket_is_the_place() -> None:
    (box,) = sandboxes([PANE._replace(session_name="a@b")], {}, Place(Kind.TMUX, "work"))

    assert box.ref == Ref("tmux:a@b@work")
