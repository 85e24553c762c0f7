"""Making sessions, ending them, and beginning them anew."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from sandbox_tui.backends.tmux.backend import TmuxBackend
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidSpecError,
    NotFoundError,
    NotRunningError,
)
from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import TmuxSpec
from sandbox_tui.model.world import State, TmuxFacts
from tests.integration.tmux.conftest import Watch, somebody_at
from tests.support import TmuxServer, retry_until, retry_until_async


async def said(backend: TmuxBackend, ref: Ref) -> list[str]:
    """The session's log, as lines."""
    outputs = [output async for output in backend.follow(ref, live=False)]
    return [output.text.rstrip("\n") for output in outputs if isinstance(output, Text)]


async def born(path: Path) -> str:
    """What a session's program wrote, once it has."""
    return await retry_until_async(lambda: path.read_text() if path.exists() else "")


# --- starting ---------------------------------------------------------------------------------


async def test_the_very_first_session_may_end_at_once(lonely: TmuxBackend) -> None:
    ref = await lonely.start(TmuxSpec(name="first", command="echo done; exit 3"))
    box = await Watch(lonely, ref).until("exited")

    assert (box.exit_code, box.managed, box.pid) == (3, True, None)
    assert await said(lonely, ref) == ["done"]
    await Watch(lonely, ref).shows("done")


@pytest.mark.parametrize("hook", ["", "run-shell 'sleep 0.1'"])
async def test_no_command_is_too_quick_to_be_seen(
    backend: TmuxBackend, tmux_server: TmuxServer, hook: str
) -> None:
    tmux_server.run("set-hook", "-g", "after-new-session", hook)
    for number in range(5):
        ref = await backend.start(TmuxSpec(name=f"s{number}", command=("false",)))
        assert (await Watch(backend, ref).until("exited")).exit_code == 1


async def test_words_run_as_they_are(backend: TmuxBackend, home: Path) -> None:
    out = home / "out"
    words = ("a b", "$HOME", "#{pid}", "#(touch pwned)", "*", "'", '"', ";", "x;", "\\;", "-x", "é")
    program = home / "run=1 #{pid}"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {out}.tmp; mv {out}.tmp {out}\n')
    program.chmod(0o755)
    await backend.start(TmuxSpec(name="words", command=(str(program), *words)))

    assert await born(out) == "\n".join(words) + "\n"


async def test_a_single_word_runs_without_a_shell(backend: TmuxBackend, home: Path) -> None:
    ref = await backend.start(TmuxSpec(name="one", command=("echo hi; touch pwned",)))

    assert (await Watch(backend, ref).until("exited")).exit_code == 127
    assert "No such file" in "".join(await said(backend, ref))


async def test_a_string_runs_through_a_shell(backend: TmuxBackend, home: Path) -> None:
    out = home / "out"
    command = f"printf '%s' \"$((6 * 7)) #{{pid}}\" > {out}.tmp && mv {out}.tmp {out};"
    await backend.start(TmuxSpec(name="string", command=command))

    assert await born(out) == "42 #{pid}"


async def test_what_cannot_be_found_says_so(backend: TmuxBackend) -> None:
    for command in ("no-such-program x", ("no-such-program", "x")):
        ref = await backend.start(TmuxSpec(name="lost", command=command))
        assert (await Watch(backend, ref).until("exited")).exit_code == 127
        assert "no-such-program" in "".join(await said(backend, ref))
        await backend.remove(ref)


async def test_a_glance_is_enough_to_see_the_end(backend: TmuxBackend) -> None:
    ref = await backend.start(TmuxSpec(name="end", command="exit 3"))
    await backend.start(TmuxSpec(name="end-later", command="sleep 1000"))

    async def code() -> int | None:
        box = await backend.glance(ref)
        return box.exit_code if box is not None else None

    assert await retry_until_async(code, timeout=10) == 3
    assert await backend.glance(Ref("tmux:en")) is None
    assert await backend.glance(Ref("tmux:$0")) is None


@pytest.mark.parametrize(
    ("command", "code", "number"),
    [("exit 200", 200, None), ("kill -9 $$", None, 9), ("kill -TERM $$", None, 15)],
)
async def test_it_ends_as_its_command_did(
    backend: TmuxBackend, command: str, code: int | None, number: int | None
) -> None:
    ref = await backend.start(TmuxSpec(name="end", command=("sh", "-c", command)))
    box = await Watch(backend, ref).until("exited")

    assert isinstance(box.facts, TmuxFacts)
    assert (box.exit_code, box.facts.dead_signal) == (code, number)
    assert box.detail == (f"signal {number}" if number else "")


async def test_last_words_are_not_lost(backend: TmuxBackend) -> None:
    """Without the keeper the kernel drops what was printed just before the end."""
    for _ in range(5):
        ref = await backend.start(TmuxSpec(name="last", command="seq 1 1500; exit 1"))
        await Watch(backend, ref).until("exited")
        assert await said(backend, ref) == list(map(str, range(1301, 1501)))
        await backend.remove(ref)


async def test_the_command_is_in_front_and_cannot_be_left_suspended(
    backend: TmuxBackend, home: Path
) -> None:
    # A shell that is stopped just as it starts a program hangs for good (vfork): this starts none.
    ticks = "import time\nwhile True: print('tick', flush=True); time.sleep(0.05)"
    spec = TmuxSpec(name="front", command=(sys.executable, "-c", ticks))
    ref = await backend.start(TmuxSpec(name="sleep", command=("sleep", "1000")))

    async def in_front() -> bool:
        box = await Watch(backend, ref).box()
        assert box is not None and isinstance(box.facts, TmuxFacts)
        return box.facts.command == box.title == "sleep"

    assert await retry_until_async(in_front)
    ref = await backend.start(spec)
    await Watch(backend, ref).shows("tick")
    await backend.press(ref, "C-z")
    await Watch(backend, ref).shows("^Z")
    before = len(await said(backend, ref))

    async def goes_on() -> bool:
        return len(await said(backend, ref)) > before + 3

    assert await retry_until_async(goes_on)


async def test_folder_and_environment(backend: TmuxBackend, home: Path) -> None:
    folder = home / "#(touch pwned) #{pid} é;"
    folder.mkdir()
    env = {"A": "#(touch pwned) $HOME;", "B": "", "C": "x=y\nz"}
    command = 'printf \'%s|\' "$PWD" "$A" "$B" "$C" > ../out.tmp; mv ../out.tmp ../out'
    spec = TmuxSpec(name="there", command=command, working_dir=str(folder), env=env)
    await backend.start(spec)

    assert await born(home / "out") == "|".join((str(folder), *env.values(), ""))
    assert not (folder / "pwned").exists()
    assert not (home / "pwned").exists()


async def test_a_name_is_no_format(backend: TmuxBackend, home: Path) -> None:
    ref = await backend.start(TmuxSpec(name="#(touch pwned)", working_dir=str(home)))

    assert (await Watch(backend, ref).until("running")).ref == "tmux:#(touch pwned)"
    assert not (home / "pwned").exists()


async def test_without_a_command_it_is_a_shell(backend: TmuxBackend) -> None:
    ref = await backend.start(TmuxSpec(name="shell", labels={"team": "a"}))
    box = await Watch(backend, ref).until("running")
    assert box.labels == {"team": "a"}

    await backend.type(ref, "exit 7")
    assert (await Watch(backend, ref).until("exited")).exit_code == 7


@pytest.mark.parametrize("name", ["back\\slash", "a$HOME", "tab\tbed"])
async def test_a_name_that_tmux_would_change_is_refused(backend: TmuxBackend, name: str) -> None:
    with pytest.raises(InvalidSpecError):
        await backend.start(TmuxSpec(name=name, command="sleep 1000"))
    assert await backend.poll() == []


async def test_a_taken_name_is_refused_and_left_alone(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    before = await backend.poll()
    with pytest.raises(AlreadyExistsError):
        await backend.start(TmuxSpec(name="web", command="echo mine"))

    (box,) = await backend.poll()
    assert not box.managed
    assert box.pid == before[0].pid


async def test_of_many_racing_starters_one_wins(lonely: TmuxBackend) -> None:
    others = [TmuxBackend() for _ in range(3)]
    starts = (one.start(TmuxSpec(name="race", command="sleep 1000")) for one in (lonely, *others))
    answers = await asyncio.gather(*starts, return_exceptions=True)
    for other in others:
        await other.aclose()

    names = sorted(type(answer).__name__ for answer in answers)
    assert names == [*["AlreadyExistsError"] * 3, "Ref"]
    assert (await Watch(lonely, Ref("tmux:race")).until("running")).managed


# --- ending -----------------------------------------------------------------------------------


async def test_it_is_asked_before_it_is_ended(backend: TmuxBackend, home: Path) -> None:
    out = home / "out"
    command = f"trap 'echo bye > {out}; exit 0' INT; echo ready; while :; do sleep 0.1; done"
    ref = await backend.start(TmuxSpec(name="polite", command=command))
    await Watch(backend, ref).shows("ready")
    await backend.stop(ref, grace=10)

    assert await backend.poll() == []
    assert out.read_text() == "bye\n"


async def test_who_does_not_listen_is_ended_after_the_grace(backend: TmuxBackend) -> None:
    command = "trap '' INT HUP TERM; echo ready; while :; do sleep 0.1; done"
    ref = await backend.start(TmuxSpec(name="deaf", command=command))
    await Watch(backend, ref).shows("ready")
    box = await Watch(backend, ref).until("running")
    began = time.monotonic()
    await backend.stop(ref, grace=0.6)

    assert time.monotonic() - began >= 0.6
    assert await backend.poll() == []
    assert box.pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(box.pid, 0)


async def test_force_does_not_ask(backend: TmuxBackend, home: Path) -> None:
    out = home / "out"
    command = f"trap 'echo bye > {out}; exit 0' INT; echo ready; sleep 1000 & wait"
    ref = await backend.start(TmuxSpec(name="brief", command=command))
    await Watch(backend, ref).shows("ready")
    await backend.stop(ref, grace=0)

    assert await backend.poll() == []
    assert not out.exists()


@pytest.mark.parametrize("background", ["", "sleep 1000 &"])
async def test_an_idle_shell_is_not_waited_for(
    backend: TmuxBackend, tmux_server: TmuxServer, background: str
) -> None:
    tmux_server.new_session("shell", "sh", "-i")
    ref = Ref("tmux:shell")
    await backend.type(ref, f"{background} echo rea''dy")
    await Watch(backend, ref).shows("ready")
    async with asyncio.timeout(8):
        await backend.stop(ref, grace=30)

    assert await backend.poll() == []


async def test_a_job_of_a_shell_is_asked_and_the_shell_is_not_waited_for(
    backend: TmuxBackend, tmux_server: TmuxServer, home: Path
) -> None:
    out = home / "out"
    tmux_server.new_session("shell", "sh", "-i")
    ref = Ref("tmux:shell")
    await backend.type(ref, f'sh -c \'trap "echo bye > {out}; exit" INT; echo rea""dy; sleep 99\'')
    await Watch(backend, ref).shows("ready")
    async with asyncio.timeout(8):
        await backend.stop(ref, grace=30)

    assert await backend.poll() == []
    assert out.read_text() == "bye\n"


async def test_every_pane_is_asked(
    backend: TmuxBackend, tmux_server: TmuxServer, home: Path
) -> None:
    outs = [home / "one", home / "two"]
    commands = [f"trap 'echo bye > {o}; exit' INT; touch {o}.up; sleep 99" for o in outs]
    tmux_server.new_session("both", commands[0])
    tmux_server.run("split-window", "-t", "=both:", commands[1])
    retry_until(lambda: all(Path(f"{out}.up").exists() for out in outs))
    await backend.stop(Ref("tmux:both"), grace=10)

    assert [out.read_text() for out in outs] == ["bye\n", "bye\n"]


async def test_what_has_ended_is_stopped_or_removed(backend: TmuxBackend) -> None:
    for end in (backend.stop, backend.remove):
        ref = await backend.start(TmuxSpec(name="ended", command="true"))
        await Watch(backend, ref).until("exited")
        await end(ref)
        assert await backend.poll() == []


async def test_what_runs_is_not_removed(backend: TmuxBackend) -> None:
    ref = await backend.start(TmuxSpec(name="busy", command="sleep 1000"))
    with pytest.raises(ConflictError, match="running"):
        await backend.remove(ref)
    assert (await Watch(backend, ref).until("running")).pid


async def test_names_are_exact(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("dev-backup", "sleep", "1000")
    for ref in (Ref("tmux:dev"), Ref("tmux:dev-*"), Ref("tmux:DEV-BACKUP"), Ref("tmux:dev@x")):
        for refused in (
            backend.stop(ref),
            backend.remove(ref),
            backend.restart(ref),
            backend.type(ref, "x"),
            backend.press(ref, "Enter"),
            backend.interrupt(ref),
            backend.attachment(ref),
            backend.inspect(ref),
        ):
            with pytest.raises(NotFoundError):
                await refused
    assert await backend.capture([Ref("tmux:dev")]) == {}
    assert len(await backend.poll()) == 1


# --- beginning anew ---------------------------------------------------------------------------


async def test_the_same_command_runs_again(backend: TmuxBackend, home: Path) -> None:
    spec = TmuxSpec(
        name="again",
        command=("sh", "-c", 'echo "$WHO in $PWD"; exec sleep 1000'),
        working_dir=str(home),
        env={"WHO": "me"},
    )
    ref = await backend.start(spec)
    await Watch(backend, ref).shows(f"me in {home}")
    before = await Watch(backend, ref).until("running")
    await backend.restart(ref, grace=5)

    after = await Watch(backend, ref).until("running")
    assert after.pid != before.pid
    assert after.managed
    await Watch(backend, ref).shows(f"me in {home}")


async def test_an_exited_session_runs_again(backend: TmuxBackend, home: Path) -> None:
    command = f"test -e {home}/up && exec sleep 1000; touch {home}/up; exit 4"
    ref = await backend.start(TmuxSpec(name="again", command=command))
    await Watch(backend, ref).until("exited")
    await backend.restart(ref)

    assert (await Watch(backend, ref).until("running")).exit_code is None


async def test_a_session_of_somebody_else_survives_its_restart(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("theirs", "sleep", "1000")
    (before,) = await backend.poll()
    await backend.restart(Ref("tmux:theirs"), grace=5)

    after = await Watch(backend, Ref("tmux:theirs")).until("running")
    assert after.pid != before.pid
    kept = tmux_server.run("display-message", "-pt", "=theirs:", "#{remain-on-exit}")
    assert kept == "off"


# --- taking part ------------------------------------------------------------------------------


async def test_an_ended_session_takes_no_part(backend: TmuxBackend) -> None:
    ref = await backend.start(TmuxSpec(name="ended", command="true"))
    await Watch(backend, ref).until("exited")
    for refused in (
        backend.type(ref, "x"),
        backend.press(ref, "Enter"),
        backend.interrupt(ref),
        backend.attachment(ref),
    ):
        with pytest.raises(NotRunningError):
            await refused


async def test_an_interrupt_ends_the_program_and_keeps_the_shell(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("shell", "sh", "-i")
    ref = Ref("tmux:shell")
    watch = Watch(backend, ref)
    await backend.type(ref, "echo rea''dy; exec sleep 1000 || :; echo no")
    await watch.shows("ready")
    await backend.interrupt(ref)

    assert await retry_until_async(lambda: _is_gone(watch)), "its only program has ended"


async def _is_gone(watch: Watch) -> bool:
    return await watch.box() is None


async def test_how_to_attach_and_to_leave(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    attachment = await backend.attachment(Ref("tmux:web"))
    assert attachment.argv == ("tmux", "-L", "default", "attach-session", "-t", "=web")
    assert attachment.env == {"TMUX": ""}
    assert attachment.leave == "ctrl+b d"
    assert attachment.inside_tmux == ()

    tmux_server.run("set-option", "-g", "prefix", "M-C-a")
    tmux_server.run("unbind-key", "d")
    tmux_server.run("bind-key", "\\", "detach-client")
    attachment = await backend.attachment(Ref("tmux:web"))
    assert attachment.leave in ("ctrl+alt+a \\", "alt+ctrl+a \\")


async def test_inside_the_same_server_the_terminal_is_switched(
    backend: TmuxBackend, tmux_server: TmuxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("home", "web"):
        tmux_server.new_session(name, "sleep", "1000")
    pane = tmux_server.run("display-message", "-pt", "=home:", "#{pane_id}")
    monkeypatch.setenv("TMUX", f"{tmux_server.socket},1,0")
    monkeypatch.setenv("TMUX_PANE", pane)
    with somebody_at(tmux_server, "home"):
        attachment = await backend.attachment(Ref("tmux:web"))
        tmux_server.run(*attachment.inside_tmux[3:])
        clients = tmux_server.run("list-clients", "-F", "#{client_control_mode} #{session_name}")
        assert "0 web" in clients.splitlines()


async def test_everything_is_told_to_who_asks(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    tmux_server.run("split-window", "-t", "=web:")
    told = await backend.inspect(Ref("tmux:web"))

    assert (told["session_name"], told["session_windows"]) == ("web", 1)
    panes = told["panes"]
    assert isinstance(panes, list)
    assert [pane["pane_index"] for pane in panes] == [0, 1]
    assert panes[0]["pane_start_command"] == "sleep 1000"


async def test_what_it_costs_and_says(backend: TmuxBackend, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("loud", "while :; do echo x; echo y; sleep 0.05; done")
    tmux_server.new_session("calm", "sleep", "1000")
    loud, calm = Ref("tmux:loud"), Ref("tmux:calm")
    first = await backend.vitals([loud, calm, Ref("tmux:nobody")])
    assert set(first) == {loud, calm}
    assert first[loud].activity is None
    assert (first[calm].memory or 0) > 0

    async def rates() -> bool:
        told = await backend.vitals([loud, calm])
        if told[calm].activity is None:
            return False
        assert told[calm].activity == 0
        assert (told[calm].cpu or 0) < 0.5
        return 5 < (told[loud].activity or 0) < 80

    assert await retry_until_async(rates, timeout=15)
    box = next(box for box in await backend.poll() if box.ref == calm)
    assert isinstance(box.facts, TmuxFacts)
    assert box.state is State.RUNNING
