"""Notebooks as the JSON of `.ipynb` files, nbformat 4.5, without needing nbformat.

https://nbformat.readthedocs.io/en/latest/format_description.html. Reading is lenient where old
writers were (text as one string or as lines, cells without ids), writing is strict. What this
program does not know is kept and written back.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sandbox_tui.documents.base import new_cell_id
from sandbox_tui.documents.locating import located
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.outputs import Display, Failure, Output, Text

Lines = str | list[str]
Mapped = dict[str, object]


class BrokenNotebookError(ValueError):
    """A file that is no notebook; says what is wrong, and on which line where that is known."""


class StoredRun(msgspec.Struct, frozen=True):
    """What is kept of the last run of a cell."""

    execution_count: int | None = None
    outputs: tuple[Output, ...] = ()


class CellExtras(msgspec.Struct, frozen=True):
    """What a file says of a cell besides its source; nothing of it is lost."""

    metadata: Mapping[str, object] = {}
    others: Mapping[str, object] = {}
    """Attachments, and whatever else has a name that this program does not know."""


class StoredNotebook(msgspec.Struct, frozen=True):
    """Cells, what their last runs said, and the notebook's own metadata."""

    cells: tuple[Cell, ...] = ()
    runs: Mapping[str, StoredRun] = {}
    """By cell id."""
    metadata: Mapping[str, object] = {}
    extras: Mapping[str, CellExtras] = {}
    """By cell id."""
    others: Mapping[str, object] = {}
    """What a file says besides, under names that this program does not know."""


class _Stream(msgspec.Struct, tag_field="output_type", tag="stream"):
    name: str
    text: Lines


class _Display(msgspec.Struct, tag_field="output_type", tag="display_data"):
    data: Mapped
    metadata: Mapped = {}


class _Value(msgspec.Struct, tag_field="output_type", tag="execute_result"):
    data: Mapped
    metadata: Mapped = {}
    execution_count: int | None = None


class _Error(msgspec.Struct, tag_field="output_type", tag="error"):
    ename: str
    evalue: str
    traceback: list[str] = []


_Said = _Stream | _Display | _Value | _Error


class _Cell(msgspec.Struct):
    cell_type: CellKind
    source: Lines
    id: str = ""
    metadata: Mapped = {}
    execution_count: int | None = None
    outputs: list[_Said] = []


class _File(msgspec.Struct):
    nbformat: int
    nbformat_minor: int
    metadata: Mapped = {}
    cells: list[_Cell] = []


_NAMES_OF_CELLS = frozenset(_Cell.__struct_fields__)
_NAMES_OF_FILES = frozenset(_File.__struct_fields__)


def encode(notebook: StoredNotebook) -> bytes:
    """The bytes of an `.ipynb` file, indented as Jupyter writes them."""
    file = {
        **notebook.others,
        "cells": [_to_file(cell, notebook) for cell in notebook.cells],
        "metadata": notebook.metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"


def decode(data: bytes) -> StoredNotebook:
    """What an `.ipynb` file holds. Raises `BrokenNotebookError`."""
    try:
        plain = msgspec.json.decode(data, type=Mapped)
        file = msgspec.convert(plain, _File)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BrokenNotebookError(located(data, str(error))) from error
    if file.nbformat != 4:
        raise BrokenNotebookError(f"nbformat {file.nbformat} is not known, only 4 is")
    cells = _cells(file.cells)
    raw_cells = msgspec.convert(plain.get("cells", []), list[Mapped])
    runs = {
        cell.id: StoredRun(said.execution_count, tuple(_from_output(out) for out in said.outputs))
        for cell, said in zip(cells, file.cells, strict=True)
        if said.outputs or said.execution_count is not None
    }
    extras = {
        cell.id: CellExtras(said.metadata, _besides(raw, _NAMES_OF_CELLS))
        for cell, said, raw in zip(cells, file.cells, raw_cells, strict=True)
    }
    return StoredNotebook(
        cells,
        runs,
        file.metadata,
        {cell_id: extra for cell_id, extra in extras.items() if extra != CellExtras()},
        _besides(plain, _NAMES_OF_FILES),
    )


def _cells(found: list[_Cell]) -> tuple[Cell, ...]:
    """Every cell with an id that is its alone."""
    seen: set[str] = set()
    cells: list[Cell] = []
    for cell in found:
        cell_id = cell.id if cell.id and cell.id not in seen else new_cell_id()
        seen.add(cell_id)
        cells.append(Cell(cell_id, cell.cell_type, _text(cell.source)))
    return tuple(cells)


def _besides(plain: Mapped, known: frozenset[str]) -> Mapped:
    return {key: value for key, value in plain.items() if key not in known}


def _to_file(cell: Cell, notebook: StoredNotebook) -> Mapped:
    extras = notebook.extras.get(cell.id, CellExtras())
    written: Mapped = {
        **extras.others,
        "cell_type": cell.kind.value,
        "id": cell.id,
        "metadata": extras.metadata,
        "source": _lines(cell.source),
    }
    if cell.kind is CellKind.CODE:
        run = notebook.runs.get(cell.id, StoredRun())
        written["execution_count"] = run.execution_count
        written["outputs"] = [_to_output(output) for output in run.outputs]
    return written


def _to_output(output: Output) -> _Said:
    match output:
        case Text():
            name = "stderr" if output.stream == "stderr" else "stdout"
            return _Stream(name, _lines(output.text))
        case Display(execution_count=None):
            return _Display(dict(output.data), dict(output.metadata))
        case Display():
            data, metadata = dict(output.data), dict(output.metadata)
            return _Value(data, metadata, output.execution_count)
        case Failure():
            return _Error(output.name, output.message, list(output.traceback))


def _from_output(said: _Said) -> Output:
    match said:
        case _Stream():
            return Text(said.name, _text(said.text))
        case _Display():
            return Display(_bundle(said.data), said.metadata)
        case _Value():
            return Display(_bundle(said.data), said.metadata, said.execution_count)
        case _Error():
            return Failure(said.ename, said.evalue, tuple(said.traceback))


def _bundle(data: Mapped) -> Mapped:
    """Text that was written as lines is one string again; JSON values stay as they are."""
    return {mime: value if _is_json(mime) else _joined(value) for mime, value in data.items()}


def _joined(value: object) -> object:
    try:
        return _text(msgspec.convert(value, Lines))
    except msgspec.ValidationError:
        return value


def _is_json(mime: str) -> bool:
    return mime == "application/json" or mime.endswith("+json")


def _text(lines: Lines) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def _lines(text: str) -> Lines:
    """As nbformat writes text; half a surrogate pair has no bytes and becomes `?`."""
    return text.encode("utf-8", "replace").decode().splitlines(keepends=True)
