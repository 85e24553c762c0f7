"""The argument that names a sandbox, and what a shell offers while it is being typed.

Completion is switched on by `eval "$(_SANDBOX_TUI_COMPLETE=bash_source sandbox-tui)"`, and in the
same way by `zsh_source` and `fish_source`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from sandbox_tui.cli.frame import Frame
from sandbox_tui.cli.names import kinds_of
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Kind, Ref

PATIENCE = 1.0
"""How long a person waits for the offers, in seconds."""


def name_argument(metavar: str = "NAME") -> click.Argument:
    """The name of a sandbox."""
    return click.Argument(["name"], metavar=metavar, shell_complete=_offered)


def _offered(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names that begin so; nothing when nobody answers in time."""
    del parameter
    from sandbox_tui.api.client import blocking

    kind = context.params.get("backend")
    frame = Frame(kind=Kind(kind) if kind else None)
    demo = bool(context.find_root().params.get("demo"))
    kinds = kinds_of(frame, incomplete)
    try:
        with blocking(kinds=kinds, demo=demo) as api:
            refs = [box.ref for box in api.settled(PATIENCE).sandboxes]
    except SandboxError:
        return []
    refs = [ref for ref in refs if ref.kind in kinds]
    return [name for name in names(refs) if name.startswith(incomplete)]


def names(refs: Iterable[Ref]) -> list[str]:
    """How each may be called: by its bare name where only one has it, and always in full."""
    refs = list(refs)
    counts = Counter(ref.name for ref in refs)
    bare = [ref.name for ref in refs if counts[ref.name] == 1]
    return [*bare, *refs]
