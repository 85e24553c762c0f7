"""The `sandbox-tui` command: which subcommands there are, each imported when it is asked for."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import NamedTuple, NoReturn

import click

from sandbox_tui import __version__
from sandbox_tui.cli.diagnostics import guarded

PROGRAM = "sandbox-tui"


class Lazy(NamedTuple):
    """Where a command is: a module here and a name in it, and its line in the help."""

    module: str
    name: str
    help: str


VERB = "verbs"
"""The module that makes the command of a verb from the registry."""

SECTIONS: Mapping[str, Mapping[str, Lazy]] = {
    "Look": {
        "ls": Lazy("listing", "ls", "List every sandbox."),
        "status": Lazy("listing", "status", "Say how one sandbox is."),
        "logs": Lazy("logs", "logs", "Print what a sandbox said."),
        "watch": Lazy("watching", "watch", "Print every change as it happens."),
        "wait": Lazy("watching", "wait", "Block until a sandbox is in a state."),
    },
    "Act": {
        "start": Lazy(VERB, "start", "Make a sandbox, as defined or as said here."),
        "stop": Lazy(VERB, "stop", "End a sandbox, gracefully first."),
        "restart": Lazy(VERB, "restart", "End what runs in a sandbox and run it again."),
        "pause": Lazy(VERB, "pause", "Freeze every process of a sandbox."),
        "resume": Lazy(VERB, "resume", "Let a paused sandbox go on."),
        "rm": Lazy(VERB, "rm", "Take a sandbox and what it kept away."),
        "attach": Lazy(VERB, "attach", "Hand the terminal to a sandbox."),
        "shell": Lazy(VERB, "shell", "Open a shell in a container."),
        "run": Lazy(VERB, "run", "Run code and end with its exit code."),
        "send": Lazy(VERB, "send", "Type text or press a key in a tmux pane."),
        "interrupt": Lazy(VERB, "interrupt", "End what runs now, keep the sandbox."),
        "push": Lazy(VERB, "push", "Copy a file or folder into a container."),
        "pull": Lazy(VERB, "pull", "Copy a file or folder out of a container."),
        "snapshot": Lazy(VERB, "snapshot", "Keep the files of a container as an image."),
    },
    "Containers": {
        "create": Lazy("containers", "create", "Make a container that waits for commands."),
        "exec": Lazy("containers", "execute", "Run a command in a container."),
        "prune": Lazy("containers", "prune", "Remove containers that have ended."),
        "image": Lazy("images", "image", "Fetch, build, export and import images."),
        "init": Lazy("projects", "init", "Make a folder a project."),
        "profiles": Lazy("projects", "profiles", "List kinds of containers, build their images."),
    },
    "Rooms": {
        "room": Lazy("rooms", "room", "Notebooks with a live kernel."),
        "daemon": Lazy("daemon", "daemon", "The process that keeps rooms alive."),
    },
    "The program": {
        "demo": Lazy("dashboard", "demo", "Open the dashboard on a made-up machine."),
        "serve": Lazy("serving", "serve", "Answer over HTTP."),
        "web": Lazy("serving", "web", "Show the dashboard in a browser."),
        "doctor": Lazy("doctor", "doctor", "Check everything, say what mends it."),
        "config": Lazy("configuration", "config", "Show the configuration."),
        "themes": Lazy("configuration", "themes", "List the dashboard's themes."),
    },
}

COMMANDS = {name: lazy for section in SECTIONS.values() for name, lazy in section.items()}
ALIASES = {"list": "ls"}


class Program(click.Group):
    """A group that knows its commands without having imported them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name or alias, imported now."""
        del ctx
        lazy = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if lazy is None:
            return None if cmd_name.startswith("-") else _unknown(cmd_name)
        if lazy.module == VERB:
            from sandbox_tui.cli.verbs import verb_command

            return verb_command(lazy.name)
        found: click.Command = getattr(_module(lazy.module), lazy.name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, without importing any."""
        del ctx
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, lazy.help) for name, lazy in section.items()])


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"sandbox_tui.cli.{name}")


def _unknown(name: str) -> NoReturn:
    from sandbox_tui.model.errors import UsageError, nearest

    near = " or ".join(nearest(name, list(COMMANDS)))
    hint = f"Did you mean {near}?" if near else f"Run: {PROGRAM} --help"
    raise UsageError(f"there is no command {name!r}", hint=hint)


@click.group(
    cls=Program,
    name=PROGRAM,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name=PROGRAM)
@click.option("--demo", is_flag=True, hidden=True, envvar="SANDBOX_TUI_DEMO")
@click.pass_context
def program(context: click.Context, *, demo: bool) -> int:
    """One screen, and one command line, for all that runs code for you.

    tmux sessions, containers and notebook kernels. Without a command it opens the dashboard. NAME
    is a full name (container:web) or a bare one that only one sandbox has.
    """
    if context.invoked_subcommand is not None:
        return 0
    from sandbox_tui.cli.dashboard import open_or_list

    return open_or_list(context, demo=demo)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; answers with the exit code and never raises an `Exception`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    own = words[: words.index("--")] if "--" in words else words
    return guarded(lambda: _run(words), as_json="--json" in own)


def _run(words: list[str]) -> int:
    code = program.main(words, prog_name=PROGRAM, standalone_mode=False)
    with contextlib.suppress(ValueError):  # stdout was closed by whoever called
        sys.stdout.flush()
    return code or 0
