"""From the fields of an action to the arguments and options of its command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import click
import msgspec
from msgspec.structs import FieldInfo

from sandbox_tui.cli.arguments import name_argument
from sandbox_tui.hub.options import OPTIONS
from sandbox_tui.model.actions import Action
from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.sizes import parse_size

NAMES = frozenset({"name", "ref"})
"""Fields that say which sandbox: the first argument."""

WORDS = frozenset({"code", "text"})
"""Fields that take the rest of the line."""

GLOBAL = frozenset({"kind"})
"""Fields that an option which all commands have fills."""

PAIRS = frozenset({"env", "labels"})
"""Fields that are said as NAME=VALUE, as often as wanted."""

SIZES = frozenset({"memory"})
"""Fields that are bytes, and are written as 256m."""

UNSAID = frozenset({"cap", "keep", "held", "if_idle"})
"""Fields that only programs fill: here output is passed on as it comes, and who stops means it."""


def parameters(action: type[Action]) -> list[click.Parameter]:
    """What the command of `action` takes, in the order of its fields."""
    fields = msgspec.structs.fields(action)
    return [_parameter(field) for field in fields if field.name not in GLOBAL | UNSAID]


def fields_from(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was said on the command line as values of fields; what was not said is left out."""
    fields = {name: pairs(value) if name in PAIRS else value for name, value in values.items()}
    return {name: value for name, value in fields.items() if value not in (None, (), {})}


def _parameter(field: FieldInfo) -> click.Parameter:
    if field.name in NAMES:
        return name_argument()
    if field.name in WORDS:
        return click.Argument([field.name], nargs=-1, metavar=f"[{field.name.upper()}]")
    if field.required:
        return click.Argument([field.name])
    option = OPTIONS[field.name]
    kind = _bare(field.type)
    return click.Option([option.flag, field.name], help=option.help, **_settings(field, kind))


def _settings(field: FieldInfo, kind: Any) -> dict[str, Any]:
    if kind is bool:
        return {"is_flag": True, "flag_value": not field.default, "default": field.default}
    settings: dict[str, Any] = {"metavar": OPTIONS[field.name].metavar}
    if field.name in SIZES:
        return {**settings, "type": parse_size}
    if get_origin(kind) is Literal:
        return {**settings, "type": click.Choice(get_args(kind))}
    if kind in (int, float):
        shown = field.default is not None
        span = click.FloatRange(min=0) if kind is float else click.IntRange(min=0)
        return {**settings, "type": span, "default": field.default, "show_default": shown}
    return {**settings, "multiple": get_origin(kind) in (tuple, Mapping)}


def _bare(kind: Any) -> Any:
    """The type without its `None`; text when there is a choice."""
    members = [member for member in get_args(kind) if member is not type(None)]
    if get_origin(kind) in (tuple, Mapping, Literal) or not members:
        return kind
    return str if str in members else members[0]


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """Variables by their names. Raises `UsageError` for what is not NAME=VALUE."""
    parts = [text.partition("=") for text in texts]
    for name, equals, _ in parts:
        if not (name and equals):
            raise UsageError(f"{name!r} sets no variable", hint="Use NAME=VALUE.")
    return {name: value for name, _, value in parts}
