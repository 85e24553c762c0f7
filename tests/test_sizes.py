"""Small pieces: the figure that well-kept code bases of this field share."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

PACKAGE = Path(__file__).parent.parent / "sandbox_tui"
FILES = sorted(PACKAGE.rglob("*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines_of(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def functions_of(file: Path) -> Iterator[tuple[str, int]]:
    """Yield where each function is and its lines, from ``def`` to the end.

    A docstring is not counted, or the rule would be paid for in documentation; a body that is
    only ``...`` declares and is no function to measure.
    """
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, Function) and not declares_only(node):
            size = span(node) - docstring_lines(node)
            yield f"{file.relative_to(PACKAGE)}:{node.lineno} {node.name}", size


def declares_only(function: Function) -> bool:
    return all(
        isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
        for line in function.body
    )


def docstring_lines(function: Function) -> int:
    has_docstring = ast.get_docstring(function, clean=False) is not None
    return span(function.body[0]) if has_docstring else 0


def span(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def longest(sizes: dict[str, int], limit: int) -> list[str]:
    over = sorted(((size, name) for name, size in sizes.items() if size > limit), reverse=True)
    return [f"{size:4} lines  {name}" for size, name in over]


@pytest.fixture(scope="module")
def functions() -> dict[str, int]:
    return dict(found for file in FILES for found in functions_of(file))


@pytest.fixture(scope="module")
def files() -> dict[str, int]:
    return {str(file.relative_to(PACKAGE)): lines_of(file) for file in FILES}


def test_functions_are_short(functions: dict[str, int]) -> None:
    assert longest(functions, 50) == []
    assert median(functions.values()) <= 8


def test_files_are_short(files: dict[str, int]) -> None:
    assert longest(files, 400) == []
    assert median(files.values()) <= 150


def test_the_app_class_stays_a_frame() -> None:
    apps = {
        f"{file.relative_to(PACKAGE)}:{node.lineno} {node.name}": span(node)
        for file in (PACKAGE / "tui").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any(map(is_app, node.bases))
    }
    assert apps, "the dashboard has an app class"
    assert longest(apps, 250) == []


def is_app(base: ast.expr) -> bool:
    return ast.unparse(base).partition("[")[0].endswith("App")
