"""Notebooks as the JSON of `.ipynb` files, nbformat 4.5, without needing nbformat.

https://nbformat.readthedocs.io/en/latest/format_description.html. Reading is lenient where old
writers were (text as one string or as lines, cells without ids), writing is strict.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sandbox_tui.documents.base import new_cell_id
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.outputs import Display, Failure, Output, Text

Lines = str | list[str]
Mapped = dict[str, object]


class BrokenNotebookError(ValueError):
    """A file that is no notebook; says what is wrong and where in it."""


class StoredRun(msgspec.Struct, frozen=True):
    """What is kept of the last run of a cell."""

    execution_count: int | None = None
    outputs: tuple[Output, ...] = ()


class StoredNotebook(msgspec.Struct, frozen=True):
    """Cells, what their last runs said, and the notebook's own metadata."""

    cells: tuple[Cell, ...] = ()
    runs: Mapping[str, StoredRun] = {}
    """By cell id."""
    metadata: Mapping[str, object] = {}


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


class _Code(msgspec.Struct, tag_field="cell_type", tag="code"):
    source: Lines
    id: str = ""
    metadata: Mapped = {}
    execution_count: int | None = None
    outputs: list[_Said] = []


class _Markdown(msgspec.Struct, tag_field="cell_type", tag="markdown"):
    source: Lines
    id: str = ""
    metadata: Mapped = {}


class _Raw(msgspec.Struct, tag_field="cell_type", tag="raw"):
    source: Lines
    id: str = ""
    metadata: Mapped = {}


_AnyCell = _Code | _Markdown | _Raw


class _File(msgspec.Struct):
    nbformat: int
    nbformat_minor: int
    metadata: Mapped = {}
    cells: list[_AnyCell] = []


def encode(notebook: StoredNotebook) -> bytes:
    """The bytes of an `.ipynb` file, indented as Jupyter writes them."""
    file = _File(
        nbformat=4,
        nbformat_minor=5,
        metadata=dict(notebook.metadata),
        cells=[_to_file(cell, notebook.runs.get(cell.id)) for cell in notebook.cells],
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"


def decode(data: bytes) -> StoredNotebook:
    """What an `.ipynb` file holds. Raises `BrokenNotebookError`."""
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BrokenNotebookError(str(error)) from error
    if file.nbformat != 4:
        raise BrokenNotebookError(f"nbformat {file.nbformat} is not known, only 4 is")
    cells = _cells(file.cells)
    runs = {
        cell.id: StoredRun(said.execution_count, tuple(_from_output(out) for out in said.outputs))
        for cell, said in zip(cells, file.cells, strict=True)
        if isinstance(said, _Code) and (said.outputs or said.execution_count is not None)
    }
    return StoredNotebook(cells, runs, file.metadata)


def _cells(found: list[_AnyCell]) -> tuple[Cell, ...]:
    """Every cell with an id that is its alone."""
    seen: set[str] = set()
    cells: list[Cell] = []
    for cell in found:
        cell_id = cell.id if cell.id and cell.id not in seen else new_cell_id()
        seen.add(cell_id)
        kind = CellKind(str(cell.__struct_config__.tag))
        cells.append(Cell(cell_id, kind, _text(cell.source)))
    return tuple(cells)


def _to_file(cell: Cell, run: StoredRun | None) -> _AnyCell:
    source = _lines(cell.source)
    if cell.kind is CellKind.MARKDOWN:
        return _Markdown(source, cell.id)
    if cell.kind is CellKind.RAW:
        return _Raw(source, cell.id)
    run = run or StoredRun()
    outputs = [_to_output(output) for output in run.outputs]
    return _Code(source, cell.id, {}, run.execution_count, outputs)


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
