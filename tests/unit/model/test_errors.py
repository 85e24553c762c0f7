"""Every leaf of the tree says what is wrong and what mends it."""

import inspect
from typing import Any

import pytest

from sandbox_tui.model import errors
from sandbox_tui.model.errors import NotFoundError, SandboxError, nearest

LEAVES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, SandboxError) and value.__init__ is not SandboxError.__init__
]


def an_instance(leaf: type[SandboxError]) -> SandboxError:
    """One error of that type with a plausible datum."""
    needed = [
        parameter
        for parameter in inspect.signature(leaf).parameters.values()
        if parameter.default is parameter.empty
    ]
    values: list[Any] = [_plausible(str(parameter.annotation)) for parameter in needed]
    return leaf(*values)


def _plausible(annotation: str) -> object:
    if "Sequence" in annotation:
        return ("tmux:a", "room:a")
    return 2.5 if "float" in annotation else "datum"


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_a_leaf_has_a_message_with_its_datum_and_a_hint(leaf: type[SandboxError]) -> None:
    error = an_instance(leaf)

    assert leaf.__name__.endswith("Error")
    assert str(error) == error.message
    assert "datum" in error.message or "tmux:a" in error.message
    assert error.hint.endswith((".", "?")) or error.hint.startswith(("Run: ", "Stop it"))


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_the_drawn_tree_names_every_leaf(leaf: type[SandboxError]) -> None:
    assert leaf.__name__ in (errors.__doc__ or "") or leaf is SandboxError


def test_nearest_ignores_the_kind() -> None:
    assert nearest("postgrs", ["container:postgres", "tmux:dev"]) == ["container:postgres"]
    assert NotFoundError("zzz", ["tmux:dev"]).hint == "Run: sandbox-tui ls"
