"""The registry and the command line are one: every verb has a command made from its action."""

from __future__ import annotations

import click
import msgspec
import pytest

from sandbox_tui.cli.main import COMMANDS, program
from sandbox_tui.cli.parameters import GLOBAL, UNSAID, fields_from
from sandbox_tui.cli.verbs import DONE, verb_command
from sandbox_tui.hub.options import OPTIONS
from sandbox_tui.hub.registry import VERBS, Confirm, Verb
from sandbox_tui.model.actions import Attach, Run, Shell
from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.refs import Kind


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.command)
def test_every_verb_is_a_command_with_every_field(verb: Verb) -> None:
    assert verb.command in COMMANDS
    names = {param.name for param in verb_command(verb.command).params}
    fields = {field.name for field in msgspec.structs.fields(verb.action)}
    assert fields - {"ref"} - GLOBAL - UNSAID <= names
    assert ("yes" in names) == (verb.confirm is Confirm.ASK)
    assert verb.command in DONE or verb.action in (Attach, Shell, Run)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_imported_and_explains_itself(name: str) -> None:
    context = click.Context(program)
    command = program.get_command(context, name)
    assert command is not None
    assert command.get_short_help_str()
    if not isinstance(command, click.Group):
        options = {flag for param in command.params for flag in param.opts}
        assert {"--json", "--backend", "--quiet", "--no-color"} <= options


def flags_of(name: str) -> set[str]:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    return {flag for param in command.params for flag in param.opts}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.command)
def test_where_a_name_is_can_be_said_to_every_verb(verb: Verb) -> None:
    wanted = {Kind.TMUX: "--socket", Kind.CONTAINER: "--runtime"}
    assert {wanted[kind] for kind in verb.kinds if kind in wanted} <= flags_of(verb.command)


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        *((name, {"--socket", "--runtime"}) for name in ("status", "logs", "wait")),
        *((name, {"--runtime"}) for name in ("exec", "create")),
    ],
)
def test_so_it_can_to_the_others(name: str, flags: set[str]) -> None:
    assert flags <= flags_of(name)


def options_of(name: str) -> dict[str, click.Option]:
    params = verb_command(name).params
    return {
        flag: param for param in params for flag in param.opts if isinstance(param, click.Option)
    }


def test_start_has_the_options_that_users_were_promised() -> None:
    options = options_of("start")
    for flag in ("--command", "--image", "--volume", "--port", "--env", "--workdir"):
        assert flag in options
    for flag in ("--log-volume", "--socket", "--runtime", "--replace", "--backend"):
        assert flag in options
    assert all(options[flag].multiple for flag in ("--volume", "--port", "--env"))
    assert not options["--image"].multiple
    assert options["--replace"].is_flag


def test_defaults_are_those_of_the_action() -> None:
    assert options_of("stop")["--timeout"].default == 10.0
    assert options_of("stop")["--force"].default is False
    assert options_of("send")["--no-enter"].default is True


def test_variables() -> None:
    said = {"env": ("A=1", "B=", "C=a=b"), "image": None, "volumes": (), "replace": False}
    assert fields_from(said) == {"env": {"A": "1", "B": "", "C": "a=b"}, "replace": False}


@pytest.mark.parametrize("text", ["A", "=1", ""])
def test_what_sets_no_variable_says_so(text: str) -> None:
    with pytest.raises(UsageError, match="sets no variable"):
        fields_from({"env": (text,)})


def test_every_option_is_explained() -> None:
    for name, option in OPTIONS.items():
        assert option.flag.startswith("--"), name
        assert option.help.endswith("."), name
