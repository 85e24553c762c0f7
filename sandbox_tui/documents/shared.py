"""A document that many change at once: a CRDT of cells, with no server in its middle.

Cells are a map by id and carry their own place, because a list has no move and is the known cause
of cells that double after a reconnect. pycrdt counts text in bytes of UTF-8; nothing outside of
this module sees that. What a run says is never part of it.

Replicas hear changes in causal order, as one ordered stream to and from one daemon gives it: a
deletion that comes before what it deletes may be forgotten by yrs. A document belongs to the thread
that made it, as everything of pycrdt does.
"""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, cast

import msgspec
from pycrdt import Doc, Map, Subscription, Text

from sandbox_tui.documents import positions
from sandbox_tui.documents.base import new_cell_id
from sandbox_tui.documents.changes import replacements
from sandbox_tui.documents.ipynb import CellExtras, StoredNotebook
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.errors import CellNotFoundError, ConflictError, UsageError

Update = Callable[[bytes, object], None]
"""Is given a change as bytes, and from where it came (`None`: it was made here)."""

_METADATA = "metadata/"
_EXTRA = "extra/"
"""Before the keys of a cell's metadata, and of what else a notebook file says of it."""


class SharedDocument:
    """Cells and metadata; replicas of one `epoch` that have heard the same updates are equal."""

    def __init__(self, epoch: str = "") -> None:
        self.epoch = epoch or uuid.uuid4().hex
        """Replicas of another one have another history and must not be merged."""
        self._doc: Doc[Any] = Doc()
        self._cells: Map[Any] = self._doc.get("cells", type=Map)
        self._metadata: Map[Any] = self._doc.get("metadata", type=Map)
        self._others: Map[Any] = self._doc.get("others", type=Map)
        self._known: dict[str, tuple[str, Cell]] = {}
        self._order: tuple[Cell, ...] | None = ()
        self._touched: set[str] = set()
        self._updates: list[bytes] = []
        self._listeners: list[Callable[[], None]] = []
        self._senders: list[Update] = []
        self._observers: tuple[Subscription, Subscription] | None = self._observe()

    @classmethod
    def of(cls, notebook: StoredNotebook) -> SharedDocument:
        """A new document with what a file holds; only one authority may do that for a room."""
        document = cls()
        document.fill(notebook)
        return document

    @classmethod
    def restored(cls, epoch: str, updates: Iterable[bytes]) -> SharedDocument:
        """The document that these changes made. Raises `UsageError` when they are none."""
        document = cls(epoch)
        for update in updates:
            document.merge(update)
        return document

    # --- reading ------------------------------------------------------------------------------

    def cells(self) -> tuple[Cell, ...]:
        """Every cell, in order; the same tuple while nothing changed."""
        if self._order is None:
            entries = sorted((place, cell.id, cell) for place, cell in self._known.values())
            self._order = tuple(cell for _, _, cell in entries)
        return self._order

    def get(self, cell_id: str) -> Cell:
        """The cell of that id. Raises `CellNotFoundError`."""
        if cell_id not in self._known:
            raise CellNotFoundError(cell_id)
        return self._known[cell_id][1]

    def has(self, cell_id: str) -> bool:
        """Whether there is a cell of that id."""
        return cell_id in self._known

    def __len__(self) -> int:
        return len(self._known)

    def metadata(self) -> dict[str, object]:
        """The notebook's own metadata."""
        return _unpacked(self._metadata.items())

    def extras(self, cell_id: str) -> CellExtras:
        """A cell's metadata, and what else its file says of it. Raises `CellNotFoundError`."""
        self.get(cell_id)
        items = [(key, value) for key, value in self._cells[cell_id].items()]
        return CellExtras(_below(_METADATA, items), _below(_EXTRA, items))

    def notebook(self) -> StoredNotebook:
        """All of it, without what the cells' runs said."""
        cells = self.cells()
        extras = {cell.id: self.extras(cell.id) for cell in cells}
        return StoredNotebook(
            cells,
            metadata=self.metadata(),
            extras={cell_id: extra for cell_id, extra in extras.items() if extra != CellExtras()},
            others=_unpacked(self._others.items()),
        )

    # --- changing -----------------------------------------------------------------------------

    def fill(self, notebook: StoredNotebook) -> None:
        """Take in what a file holds, when there is nothing yet."""
        with self._change():
            for place, cell in enumerate(notebook.cells):
                self._insert(cell, positions.nth(place), notebook.extras.get(cell.id))
            for key, value in notebook.metadata.items():
                self._metadata[key] = _packed(value)
            for key, value in notebook.others.items():
                self._others[key] = _packed(value)

    def add(
        self,
        source: str,
        kind: CellKind = CellKind.CODE,
        index: int | None = None,
        cell_id: str = "",
    ) -> str:
        """See `Document.add`. Raises `ConflictError`."""
        if self.has(cell_id):
            raise ConflictError(f"there is a cell {cell_id} already", hint="Edit that one.")
        cell = Cell(cell_id or new_cell_id(), kind, _clean(source))
        with self._change():
            self._insert(cell, self._place_at(index, self.cells()))
        return cell.id

    def edit(self, cell_id: str, source: str, base: str | None = None) -> None:
        """Give a cell another source, by what is different. Raises `CellNotFoundError`.

        What changed since its source was `base` is kept.
        """
        now, wanted = self.get(cell_id).source, _clean(source)
        if base is not None:
            wanted = _merged(_clean(base), now, wanted)
        with self._change():
            _become(self._text(cell_id), now, wanted)

    def append(self, cell_id: str, text: str) -> None:
        """Put text at the end of a cell's source. Raises `CellNotFoundError`."""
        self.get(cell_id)
        with self._change():
            source = self._text(cell_id)
            source.insert(len(source), _clean(text))

    def move(self, cell_id: str, index: int) -> None:
        """Put a cell at another place, counted from 0. Raises `CellNotFoundError`."""
        self.get(cell_id)
        others = tuple(cell for cell in self.cells() if cell.id != cell_id)
        with self._change():
            self._cells[cell_id]["position"] = self._place_at(index, others)

    def remove(self, cell_id: str) -> None:
        """Take a cell out. Raises `CellNotFoundError`."""
        self.get(cell_id)
        with self._change():
            del self._cells[cell_id]

    def set_metadata(self, key: str, value: object) -> None:
        """Give a key of the notebook's metadata a JSON value; `None` takes it out."""
        with self._change():
            _put(self._metadata, key, value)

    def set_cell_metadata(self, cell_id: str, key: str, value: object) -> None:
        """Give a key of a cell's metadata a JSON value; `None` takes it out."""
        self.get(cell_id)
        with self._change():
            _put(self._cells[cell_id], _METADATA + key, value)

    # --- sharing ------------------------------------------------------------------------------

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` after every change, whoever made it."""
        self._listeners.append(changed)

    def on_update(self, send: Update) -> None:
        """Call `send` with every change, so that it can be told to other replicas."""
        self._senders.append(send)

    def merge(self, update: bytes, origin: object = None) -> None:
        """Hear a change of another replica. Raises `UsageError` for bytes that are none."""
        try:
            with self._change(origin):
                self._doc.apply_update(update)
        except ValueError as error:
            raise UsageError(f"no change of a document: {error}") from None

    def close(self) -> None:
        """It can only be read from now on; call it in the thread that made it.

        A document that is left to the garbage collector may be found by another thread.
        """
        if self._observers is not None:
            cells, doc = self._observers
            self._cells.unobserve(cells)
            self._doc.unobserve(doc)
            self._observers = None
        self._listeners.clear()
        self._senders.clear()

    def state(self) -> bytes:
        """Which changes are in it, for `update`."""
        return self._doc.get_state()

    def update(self, since: bytes = b"") -> bytes:
        """What a replica in the state `since` lacks; everything by default."""
        try:
            return self._doc.get_update(since or None)
        except ValueError as error:
            raise UsageError(f"no state of a document: {error}") from None

    # --- inside -------------------------------------------------------------------------------

    def _observe(self) -> tuple[Subscription, Subscription]:
        """Note what each transaction touched; weakly, so that a document goes when it is left."""
        this = weakref.ref(self)

        def touched(events: list[Any]) -> None:
            document = this()
            if document is not None:
                for event in events:
                    document._touched.update(event.path[:1] or event.keys)

        def updated(event: Any) -> None:
            document = this()
            if document is not None:
                document._updates.append(event.update)

        return self._cells.observe_deep(touched), self._doc.observe(updated)

    @contextmanager
    def _change(self, origin: object = None) -> Generator[None]:
        """One transaction; afterwards everybody is told of it."""
        if self._observers is None:
            raise UsageError("the room is closed: nobody would hear of this change")
        with self._doc.transaction():
            yield
        for cell_id in self._touched:
            self._reread(cell_id)
        self._touched.clear()
        updates, self._updates = self._updates, []
        for update in updates:
            for send in self._senders:
                send(update, origin)
        if updates:
            for changed in self._listeners:
                changed()

    def _reread(self, cell_id: str) -> None:
        self._order = None
        self._known.pop(cell_id, None)
        if (found := _read(cell_id, self._cells.get(cell_id))) is not None:
            self._known[cell_id] = found

    def _insert(self, cell: Cell, place: str, extras: CellExtras | None = None) -> None:
        entry: dict[str, object] = {
            "kind": cell.kind.value,
            "position": place,
            "source": Text(_clean(cell.source)),
        }
        if extras is not None:
            entry |= {_METADATA + key: _packed(value) for key, value in extras.metadata.items()}
            entry |= {_EXTRA + key: _packed(value) for key, value in extras.others.items()}
        self._cells[cell.id] = Map(entry)

    def _place_at(self, index: int | None, cells: tuple[Cell, ...]) -> str:
        at = len(cells) if index is None else min(max(0, index), len(cells))
        before = self._known[cells[at - 1].id][0] if at > 0 else ""
        after = self._known[cells[at].id][0] if at < len(cells) else ""
        return positions.between(before, after)

    def _text(self, cell_id: str) -> Text:
        return self._cells[cell_id]["source"]


def _read(cell_id: str, entry: object) -> tuple[str, Cell] | None:
    """Place and cell; `None` for what another program may have put there that is none."""
    if not isinstance(entry, Map):
        return None
    found = cast("Map[Any]", entry)
    kind, place, source = found.get("kind"), found.get("position"), found.get("source")
    if kind not in set(CellKind) or not isinstance(place, str) or not isinstance(source, Text):
        return None
    return place, Cell(cell_id, CellKind(kind), str(source))


def _become(text: Text, old: str, new: str) -> None:
    for start, length, said in replacements(old, new):
        if length:
            del text[start : start + length]
        if said:
            text.insert(start, said)


def _merged(base: str, *ends: str) -> str:
    """`base` with what made each of these texts of it, as replicas that met again have it."""
    merged: Doc[Any] = Doc(client_id=0)
    whole = merged.get("source", type=Text)
    whole.insert(0, base)
    begun = merged.get_update()
    for number, end in enumerate(dict.fromkeys(ends), start=1):
        replica: Doc[Any] = Doc(client_id=number)
        replica.apply_update(begun)
        _become(replica.get("source", type=Text), base, end)
        merged.apply_update(replica.get_update())
    return str(whole)


def _put(target: Map[Any], key: str, value: object) -> None:
    if value is not None:
        target[key] = _packed(value)
    elif key in target:
        del target[key]


def _packed(value: object) -> str:
    """JSON keeps what a CRDT's own numbers would not. Raises `UsageError`."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, NotImplementedError) as error:
        raise UsageError(f"metadata must be JSON: {error}") from None


def _unpacked(items: Iterable[tuple[str, object]]) -> dict[str, object]:
    return {key: msgspec.json.decode(value) for key, value in items if isinstance(value, str)}


def _below(prefix: str, items: Iterable[tuple[str, object]]) -> Mapping[str, object]:
    return _unpacked((k.removeprefix(prefix), v) for k, v in items if k.startswith(prefix))


def _clean(text: str) -> str:
    """Half a surrogate pair has no bytes and becomes `?`."""
    return text.encode("utf-8", "replace").decode()
