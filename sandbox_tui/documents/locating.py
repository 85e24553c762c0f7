"""On which line of a JSON file something is wrong; looked for only when something is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import yaml

_PATH = re.compile(r"`\$(.*)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def located(data: bytes, reason: str) -> str:
    """`reason` with the line that it is about, if that can be told."""
    try:
        text = data.decode()
        json.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"line {line}: it is not UTF-8"
    except json.JSONDecodeError as error:
        return f"line {error.lineno}: {error.msg}"
    except RecursionError:
        return "it is nested too deeply"
    path = _PATH.search(reason)
    line = _line_of(text, path.group(1)) if path else None
    return f"line {line}: {reason}" if line else reason


def _line_of(text: str, path: str) -> int | None:
    """The line of the value at `path`, as `.cells[3].source`; JSON is YAML, whose nodes know."""
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    for name, index in _STEP.findall(path):
        node = _below(node, name, int(index or 0)) or node
    return int(node.start_mark.line) + 1 if node is not None else None


def _below(node: yaml.Node | None, name: str, index: int) -> yaml.Node | None:
    import yaml

    inner = cast("list[yaml.Node]", getattr(node, "value", []))
    if isinstance(node, yaml.MappingNode):
        pairs = cast("list[tuple[yaml.Node, yaml.Node]]", inner)
        return next((value for key, value in pairs if key.value == name), None)
    if isinstance(node, yaml.SequenceNode) and index < len(inner):
        return inner[index]
    return None
