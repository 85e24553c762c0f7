"""What the documents promise: everything there is stands in them, and what they show works.

The pages are read as a person reads them, by heading, table row and code block. Most checks go both
ways, so that a page can neither forget what is new nor keep what is gone.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
import msgspec
import pytest
import yaml

from sandbox_tui.api.base import Api
from sandbox_tui.api.blocking_api import BlockingApi, BlockingExecution
from sandbox_tui.cli.diagnostics import EXIT_CODES
from sandbox_tui.cli.frame import command as make_command
from sandbox_tui.cli.frame import where_options
from sandbox_tui.cli.main import COMMANDS as LAZY
from sandbox_tui.cli.main import main, program
from sandbox_tui.hub.registry import VERBS
from sandbox_tui.model import errors
from sandbox_tui.model.actions import Action
from sandbox_tui.model.errors import ConfigError, SandboxError
from sandbox_tui.model.outputs import Result
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.specs import SPEC_OF
from sandbox_tui.model.world import Sandbox, State
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.settings import paths
from sandbox_tui.settings.load import load
from sandbox_tui.settings.schema import USER_ONLY, Config, Entry, Profile
from sandbox_tui.tui.commands import COMMANDS
from sandbox_tui.tui.keys import keymap
from sandbox_tui.tui.presets import PRESETS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md")))
CLI, KEYS, PYTHON, CONFIGURATION = (
    (DOCS / name).read_text() for name in ("cli.md", "keys.md", "python.md", "configuration.md")
)
README = (ROOT / "README.md").read_text()


# --- how a page is read -----------------------------------------------------------------------


def section(page: str, heading: str) -> str:
    """The text under a heading, up to the next of its rank."""
    rank = heading.partition(" ")[0]
    found = re.search(
        rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(rank)}}} |\Z)", page, re.MULTILINE | re.DOTALL
    )
    assert found, f"no heading {heading!r}"
    return found[1]


def rows(page: str) -> list[list[str]]:
    """The cells of every table row but the rules between; `\\|` is a bar."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    split = (re.split(r"(?<!\\)\|", line)[1:-1] for line in lines)
    cells = [[cell.strip().replace("\\|", "|") for cell in row] for row in split]
    return [row for row in cells if not set("".join(row)) <= set("-")]


def code(text: str) -> list[str]:
    """What stands between backticks, outside of blocks."""
    return re.findall(r"`([^`]+)`", prose(text))


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def prose(page: str) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def words(text: str) -> set[str]:
    """Every word in code: a name there may have its arguments behind it."""
    return {word for span in code(text) for word in re.findall(r"\w+", span)}


def ids(pages: Sequence[Path]) -> list[str]:
    return [page.name for page in pages]


# --- links ------------------------------------------------------------------------------------


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    titles = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    text = prose(page.read_text())
    links = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text)
    for link in links:
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(file.read_text()), f"{page.name}: {link}"


def test_every_page_is_linked_from_the_readme() -> None:
    for page in DOCS.glob("*.md"):
        assert f"](docs/{page.name})" in README, page.name


def test_paths_and_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    seen = 0
    for page in PAGES:
        for span in code(page.read_text()):
            if target := re.fullmatch(r"make (\w+)", span):
                assert re.search(rf"^{target[1]}:", makefile, re.MULTILINE), f"{page.name}: {span}"
            elif page.name in ("architecture.md", "CONTRIBUTING.md") and _is_path(span):
                seen += 1
                places = (ROOT, ROOT / "sandbox_tui", ROOT / "tests")
                assert any(list(place.glob(span.rstrip("/"))) for place in places), span
    assert seen > 20


def _is_path(span: str) -> bool:
    return bool(re.fullmatch(r"\.?[\w*]+(/[\w.*-]+)*/?(\.py|\.md|\.sh|\.yaml|\.lock|/)", span))


# --- the tour ---------------------------------------------------------------------------------


def test_the_tour_shows_whole_screens_of_three_sizes() -> None:
    tour = (DOCS / "tour.md").read_text()
    parts = re.split(r"^## .*?(\d+)×(\d+)$", tour, flags=re.MULTILINE)[1:]
    sizes = set()
    for width, height, part in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        sizes.add((int(width), int(height)))
        for screen in blocks(part, "text"):
            assert len(screen.splitlines()) == int(height)
            assert int(width) - 4 <= max(map(len, screen.splitlines())) <= int(width)
    assert {(80, 24), (120, 40), (200, 60)} <= sizes


# --- the command line -------------------------------------------------------------------------


def leaves(
    group: click.Group = program, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command by its whole name."""
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from leaves(found, (*above, name))
        else:
            yield " ".join((*above, name)), found


def options(params: Sequence[click.Parameter]) -> set[str]:
    return {flag for each in params if isinstance(each, click.Option) for flag in each.opts}


LEAVES = dict(leaves())
COMMON = options(make_command("none")(lambda frame: 0).params)
WHERE = {each.name for each in where_options()}
COMMAND_ROWS = {
    " ".join(word for word in found[0].split() if word.islower()): row
    for title in ("## Look", "## Act", "## Containers", "## Rooms", "## The program")
    for row in rows(section(CLI, title))
    if (found := code(row[0])) and not found[0].startswith("-")
}


def test_the_commands_are_those_in_the_tables() -> None:
    assert set(COMMAND_ROWS) == set(LEAVES)
    assert {name.partition(" ")[0] for name in LEAVES} == set(LAZY)
    assert {verb.command for verb in VERBS} <= set(COMMAND_ROWS)


@pytest.mark.parametrize("name", LEAVES)
def test_the_options_of_a_command_are_those_in_its_row(name: str) -> None:
    text = " ".join(COMMAND_ROWS[name][2:])
    if name == "start":
        text = " ".join(row[0] for row in rows(section(CLI, "## Act")) if row[0].startswith("`--"))
    written = {word for span in code(text) for word in span.split() if word.startswith("-")} - {"-"}

    own = [each for each in LEAVES[name].params if each.name not in WHERE]
    assert written == options(own) - COMMON


def test_every_command_with_a_name_is_told_where_it_is() -> None:
    told = {word for span in code(section(CLI, "## Names")) for word in span.split()}
    assert options(where_options()) <= told
    for verb in VERBS:
        if verb.command != "start":
            taken = options(LEAVES[verb.command].params)
            assert ("--socket" in taken, "--runtime" in taken) == (
                Kind.TMUX in verb.kinds,
                Kind.CONTAINER in verb.kinds,
            ), verb.command


def test_the_options_of_every_command_are_in_their_table() -> None:
    table = " ".join(row[0] for row in rows(section(CLI, "## Every command takes")))
    assert {word for span in code(table) for word in span.split() if word.startswith("-")} == {
        *COMMON,
        *click.Context(program, help_option_names=["-h", "--help"]).help_option_names,
    }


def test_the_states_and_exit_codes_are_written() -> None:
    assert {state.value for state in State} <= words(section(CLI, "## Look"))
    table = {row[0]: words(row[2]) for row in rows(section(CLI, "## Exit codes"))[1:]}
    for error, number in EXIT_CODES.items():
        assert error.__name__ in table[str(number)], error


def command_lines(page: str) -> Iterator[str]:
    """Every `sandbox-tui …` of a page: in consoles line by line, and in the text."""
    for block in blocks(page, "console"):
        for line in block.splitlines():
            for part in re.split(r"&&|\|(?!\|)|[;<>]", line.removeprefix("$ ").partition(" #")[0]):
                if part.strip().startswith("sandbox-tui"):
                    yield part.strip()
    yield from (span for span in code(page) if re.match(r"sandbox-tui( |$)", span))


LINES = sorted({line for page in PAGES for line in command_lines(page.read_text())})


def test_there_are_command_lines() -> None:
    assert len(LINES) > 25


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_is_understood(line: str) -> None:
    parse(shlex.split(line)[1:])


@pytest.mark.parametrize("line", ["lss", "ls --jsn", "start", "room nwe x", "wait web --for ever"])
def test_a_wrong_command_line_would_be_noticed(line: str) -> None:
    with pytest.raises((click.ClickException, SandboxError)):
        parse(shlex.split(line))


def parse(arguments: list[str]) -> None:
    """Take a command line apart as the program would, and do nothing."""
    found: click.Command = program
    name, line = "sandbox-tui", arguments
    while isinstance(found, click.Group) and arguments and not arguments[0].startswith("-"):
        context = click.Context(found, info_name=name)
        name, *arguments = arguments
        inner = found.get_command(context, name)
        if inner is None:
            raise click.UsageError(f"no command {name}")
        found = inner
    try:
        found.make_context(name, list(arguments))
    except click.exceptions.Exit:
        assert {"--help", "--version"} & set(line)


JSON_LINES = {
    "ls": "ls",
    "status": "status postgres",
    "logs": "logs postgres",
    "wait": "wait postgres --for running",
    "stop": "stop postgres",
    "run": "run postgres echo ready",
    "room add": "room add scratch echo",
    "room cells": "room cells scratch",
    "room move": "room move scratch 1 0",
    "room run": "room run scratch 1",
    "daemon status": "daemon status",
    "doctor": "doctor",
    "themes": "themes",
}


@pytest.mark.parametrize("row", rows(section(CLI, "## JSON"))[1:], ids=lambda row: row[0])
def test_json_has_the_documented_keys(
    row: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANDBOX_TUI_DEMO", "1")
    main([*JSON_LINES[code(row[0])[0]].split(), "--json"])

    assert list(json.loads(capsys.readouterr().out)) == code(row[1])


def test_every_environment_variable_is_written() -> None:
    written = {name for row in rows(section(CLI, "## Environment")) for name in code(row[0])}
    written |= words(section(CLI, "## Environment")) & {"RUNTIMED_SOCKET_PATH"}
    assert environment() <= written | {"HOME", "PATH", "USER", "TMUX_PANE"}
    assert {name for name in written if name.startswith("SANDBOX_TUI_")} <= environment()


def environment() -> set[str]:
    """What the program reads from its environment: names handed to something called so."""
    found: set[str] = set()
    for file in (ROOT / "sandbox_tui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            found |= set(_named(node))
    assert {"NO_COLOR", "DOCKER_HOST", "SANDBOX_TUI_DEMO", "SANDBOX_TUI_SOCKET"} <= found
    return found


def _named(node: ast.AST) -> Iterator[str]:
    """The variables that a piece of code asks for, by the ways this code asks."""
    match node:
        case ast.Call(func=ast.Attribute(value=asked, attr="get"), args=[ast.Constant(value), *_]):
            if ast.unparse(asked) in ("env", "os.environ"):
                yield str(value)
        case ast.Call(func=ast.Name("_xdg"), args=[ast.Constant(value), *_]):
            yield str(value)
        case ast.Call(keywords=keywords):
            yield from (str(ast.literal_eval(k.value)) for k in keywords if k.arg == "envvar")
        case ast.Assign(targets=[ast.Name("SOCKET_VARIABLES")], value=value):
            yield from ast.literal_eval(value)
        case ast.Assign(targets=[ast.Name("_NATIVE")], value=value):
            yield from (variable for variable, _ in ast.literal_eval(value))
        case _:
            return


# --- keys -------------------------------------------------------------------------------------

KEY_ROWS = {code(row[1])[0]: row for row in rows(section(KEYS, "## All keys")) if code(row[1])}


def test_the_commands_are_those_of_the_key_tables() -> None:
    assert set(KEY_ROWS) == {entry.id for entry in COMMANDS}
    assert {verb.id for verb in VERBS} <= set(KEY_ROWS)


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.id)
def test_a_command_has_the_documented_keys(entry: Any) -> None:
    default, *presets = KEY_ROWS[entry.id][2:]
    others = [name for name in PRESETS if name != "default"]

    assert tuple(code(default)) == tuple(entry.keys)
    assert default in ("palette", " ".join(f"`{key}`" for key in entry.keys))
    for name, cell in zip(others, presets, strict=True):
        assert tuple(code(cell) or entry.keys) == PRESETS[name].get(entry.id, entry.keys), name


def test_the_presets_head_the_key_tables() -> None:
    heads = [row for row in rows(section(KEYS, "## All keys")) if row[0] == "what it does"]
    assert heads
    assert all(row[3:] == [name for name in PRESETS if name != "default"] for row in heads)


def test_the_key_maps_on_the_page_work() -> None:
    for block in blocks(KEYS, "yaml"):
        ui = yaml.safe_load(block)["ui"]
        keymap(ui["preset"], ui["keymap"])


# --- configuration ----------------------------------------------------------------------------

SETTING_ROWS = {code(row[0])[0]: row for row in rows(section(CONFIGURATION, "## Settings"))[1:]}
ENTRY_ROWS = {code(row[0])[0]: row for row in rows(section(CONFIGURATION, "## Sandboxes"))[1:]}


def settings(part: type[msgspec.Struct], path: str = "") -> Iterator[tuple[str, Any, object]]:
    """Dotted path, type and default of every setting."""
    for each in msgspec.structs.fields(part):
        here = f"{path}{each.name}"
        if isinstance(each.type, type) and issubclass(each.type, msgspec.Struct):
            yield from settings(each.type, f"{here}.")
        else:
            made = each.default_factory() if callable(each.default_factory) else each.default
            yield here, each.type, made


SETTINGS = {path: (kind, default) for path, kind, default in settings(Config)}


def test_the_settings_are_those_in_the_table() -> None:
    assert set(SETTING_ROWS) == set(SETTINGS)


@pytest.mark.parametrize("path", SETTINGS)
def test_a_setting_has_the_documented_default_and_limits(path: str) -> None:
    kind, default = SETTINGS[path]
    _, written, says = SETTING_ROWS[path]

    assert yaml.safe_load(written.strip("`")) == json.loads(msgspec.json.encode(default))
    for limit in limits(kind):
        assert limit in re.findall(r"[\w.+-]*\w", says)


def limits(kind: Any) -> Iterator[str]:
    """The bounds and the choices of a type, as they are written."""
    for part in get_args(kind):
        if isinstance(part, msgspec.Meta):
            yield from (f"{bound:.12g}" for bound in (part.ge, part.le) if bound is not None)
        elif isinstance(part, str) and get_origin(kind) is Literal:
            yield part
        else:
            yield from limits(part)


def test_the_fields_of_a_sandbox_are_those_in_the_table() -> None:
    table = {name: set(row[1].split()) for name, row in ENTRY_ROWS.items()}
    known = {kind.value: set(spec.__struct_fields__) for kind, spec in SPEC_OF.items()}
    fields = {
        name: {kind for kind, has in known.items() if name in has or name == "backend"}
        for name in Entry.__struct_fields__
    }

    assert table == fields
    assert set(Profile.__struct_fields__) <= words(section(CONFIGURATION, "## Settings"))


def test_what_a_project_may_not_say_is_written() -> None:
    text = section(CONFIGURATION, "## What a project may not say")
    assert set(code(text)) == {".".join(path) for path in USER_ONLY}


REFUSED = rows(section(CONFIGURATION, "## What is refused"))[1:]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: code(row[0])[0])
def test_what_is_refused_is_answered_as_written(row: list[str], tmp_path: Path) -> None:
    (tmp_path / paths.PROJECT_FILE).write_text(code(row[0])[0] + "\n")
    with pytest.raises(ConfigError) as caught:
        raise load(tmp_path).problems[0]

    assert caught.value.reason == row[1]


def test_the_yaml_on_the_pages_can_be_used(tmp_path: Path) -> None:
    examples = [
        block
        for page in (README, CONFIGURATION, KEYS)
        for block in blocks(page, "yaml")
        if "primary:" not in block
    ]
    assert len(examples) == 3
    for block in examples:
        (tmp_path / paths.PROJECT_FILE).write_text(block)
        loaded = load(tmp_path)
        assert loaded.problems == []
        keymap(loaded.config.ui.preset, loaded.config.ui.keymap)


def test_the_themes_are_those_on_the_page() -> None:
    from sandbox_tui.tui.theme import Themes, read_theme

    text = section(CONFIGURATION, "## Themes")
    bundled = {file.stem: read_theme(file) for file in (ROOT / "themes").glob("*.yaml")}
    dark, light = re.findall(r"(?:Dark|Light): ([^.]+)\.", text)
    assert set(code(dark)) == {name for name, theme in bundled.items() if theme.dark}
    assert set(code(light)) == {name for name, theme in bundled.items() if not theme.dark}
    assert set(code(text.partition("Textual's own, such as")[2].partition(",\nwork")[0][:60])) <= (
        set(Themes(paths.theme_folders()).names)
    )


def test_the_theme_on_the_page_can_be_worn(tmp_path: Path) -> None:
    from sandbox_tui.tui.theme import read_theme

    [block] = [block for block in blocks(CONFIGURATION, "yaml") if "primary:" in block]
    (tmp_path / "mine.yaml").write_text(block)

    assert read_theme(tmp_path / "mine.yaml").name == "mine"


# --- Python -----------------------------------------------------------------------------------


def calls(heading: str) -> dict[str, str]:
    """What a table's first column calls, and with which words."""
    spans = (span for row in rows(section(PYTHON, heading))[1:] for span in code(row[0]))
    found = (re.fullmatch(r"(\w+)(?:\((.*)\))?", span) for span in spans)
    return {match[1]: match[2] or "" for match in found if match}


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_the_api_is_the_one_in_the_table() -> None:
    table = calls("## Api")
    assert set(table) == public(Api)
    for name, arguments in table.items():
        if callable(member := vars(Api)[name]):
            names = [each for each in inspect.signature(member).parameters if each != "self"]
            assert re.findall(r"(\w+)(?==|,|$)", re.sub(r"=[^,]+", "=", arguments)) == names, name
            assert _defaults(member) == dict(re.findall(r"(\w+)=([^,]+)", arguments)), name


def _defaults(member: Any) -> dict[str, str]:
    parameters = inspect.signature(member).parameters.values()
    return {each.name: repr(each.default) for each in parameters if each.default is not each.empty}


def test_the_blocking_api_is_the_same() -> None:
    assert public(Api) - public(BlockingApi) == {"aclose", "line"}
    assert public(BlockingExecution) <= words(section(PYTHON, "## Execution"))


def test_the_actions_are_those_in_the_table() -> None:
    table = calls("## Actions")
    actions = {action.__name__: action for action in Action.__subclasses__()}
    assert set(table) == set(actions)
    for name, action in actions.items():
        fields = msgspec.structs.fields(action)
        written = [f"{each.name}{'' if each.required else '='}" for each in fields]
        assert table[name] == ", ".join(written), name


def test_executions_results_and_sandboxes_are_described() -> None:
    made = Execution.__new__(Execution)
    values = {"id", "ref", "code", "result", "execution_count", "started_at"}
    assert not values & vars(type(made)).keys()
    writers = {"begin", "feed", "finish", "has_room", "let_go", "room"}
    said = words(section(PYTHON, "## Execution"))
    assert (public(Execution) | values) - writers <= said
    assert public(Result) | set(Result.__struct_fields__) <= said
    fields = set(Sandbox.__struct_fields__) | public(Sandbox) - {"kind"}
    assert {name for name in fields if not name.startswith("_")} <= words(
        section(PYTHON, "## World")
    )


def test_the_errors_are_those_in_the_table() -> None:
    table = rows(section(PYTHON, "## Errors"))[1:]
    tree = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, SandboxError) and kind is not SandboxError
    }
    assert {code(row[0])[0] for row in table} == set(tree)
    parent = ""
    for first, _, carries in table:
        name = code(first)[0]
        parent = parent if first.startswith("·") else name
        assert tree[name].__base__ is (tree[parent] if name != parent else SandboxError), name
        data = set(inspect.signature(tree[name].__init__).parameters)
        assert set(code(carries)) <= data, name


EXAMPLES = [("README", each) for each in blocks(README, "python")] + [
    ("python.md", each) for each in blocks(PYTHON, "python")
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize(
    ("page", "example"), EXAMPLES, ids=[f"{page}-{n}" for n, (page, _) in enumerate(EXAMPLES)]
)
def test_an_example_runs_on_the_made_up_machine(
    page: str, example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = re.findall(r"\b(?:connect|blocking)\(\)", example)
    assert len(calls) == 1, "what it runs on is not known"
    made_up = example.replace(calls[0], calls[0].replace("()", "(demo=True)"))
    exec(compile(made_up, page, "exec"), {"__name__": "__main__"})

    assert capsys.readouterr().out.strip(), "it said nothing"
