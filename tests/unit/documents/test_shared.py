"""Documents that many change at once."""

from __future__ import annotations

import gc
import random
import weakref
from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox_tui.documents import positions
from sandbox_tui.documents.changes import replacements
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.errors import CellNotFoundError, ConflictError, UsageError

LETTERS = "ab\né€🙂👩‍🚀ü"
text = st.text(st.sampled_from(LETTERS) | st.characters(codec="utf-8"), max_size=12)


def sources(document: SharedDocument) -> list[str]:
    return [cell.source for cell in document.cells()]


class Peers:
    """Replicas around the daemon's own, each with one ordered stream there and one back."""

    def __init__(self, count: int) -> None:
        self.daemon = SharedDocument()
        self.daemon.on_update(self._spread)
        self.replicas = [SharedDocument(self.daemon.epoch) for _ in range(count)]
        self._up: list[deque[bytes]] = [deque() for _ in self.replicas]
        self._down: list[deque[bytes]] = [deque() for _ in self.replicas]
        for number, replica in enumerate(self.replicas):
            replica.on_update(lambda update, origin, n=number: self._send(n, update, origin))

    def _send(self, number: int, update: bytes, origin: object) -> None:
        if origin is None:
            self._up[number].append(update)

    def _spread(self, update: bytes, origin: object) -> None:
        for number, waiting in enumerate(self._down):
            if number != origin:
                waiting.append(update)

    def deliver(self, number: int, chance: random.Random) -> None:
        """The next change on its way, there or back."""
        up, down = self._up[number], self._down[number]
        if up and (not down or chance.random() < 0.5):
            self.daemon.merge(up.popleft(), number)
        elif down:
            self.replicas[number].merge(down.popleft(), "daemon")

    def settle(self, chance: random.Random) -> None:
        while any((*self._up, *self._down)):
            self.deliver(chance.randrange(len(self.replicas)), chance)


Step = tuple[str, int, int, str]
steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "edit", "append", "move", "remove", "tell", "mark"]),
        st.integers(0, 2),
        st.integers(0, 9),
        text,
    ),
    max_size=40,
)


def act(peers: Peers, step: Step, chance: random.Random) -> None:
    what, who, where, said = step
    replica = peers.replicas[who]
    cells = replica.cells()
    if what == "tell":
        peers.deliver(who, chance)
    elif what == "mark":
        replica.set_metadata(f"key-{where % 3}", said or None)
    elif what == "add" or not cells:
        replica.add(said, CellKind.CODE, where)
    else:
        cell_id = cells[where % len(cells)].id
        match what:
            case "edit":
                replica.edit(cell_id, said + cells[where % len(cells)].source[1:])
            case "append":
                replica.append(cell_id, said)
            case "move":
                replica.move(cell_id, len(said))
            case _:
                replica.remove(cell_id)


@settings(max_examples=300)
@given(steps, st.integers(0, 2**32))
def test_replicas_that_heard_the_same_are_equal_to_the_byte(taken: list[Step], seed: int) -> None:
    chance, peers = random.Random(seed), Peers(3)
    for step in taken:
        act(peers, step, chance)
    peers.settle(chance)
    first, *others = (peers.daemon, *peers.replicas)
    ids = [cell.id for cell in first.cells()]
    assert len(ids) == len(set(ids)) == len(first)
    for other in others:
        assert other.notebook() == first.notebook()
    rebuilt = SharedDocument.restored(first.epoch, [first.update()])
    assert rebuilt.notebook() == first.notebook()
    assert rebuilt.cells() == first.cells()


@given(text, text)
def test_replacements_turn_one_text_into_the_other(old: str, new: str) -> None:
    data = old.encode()
    for start, length, said in replacements(old, new):
        data = data[:start] + said.encode() + data[start + length :]
    assert data.decode() == new


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        ("one\nTWO\nthree\n", "zero\none\ntwo\nthree\n", "zero\none\nTWO\nthree\n"),
        ("one\nthree\n", "one\ntwo\nthrée 🙂\n", "one\nthrée 🙂\n"),
        ("one\ntwo\nthree\nfour\n", "é", "éfour\n"),
        ("é", "é", "é"),
        ("one\ntwo\nthree\n", "é", "é"),
    ],
)
def test_an_edit_of_an_older_source_keeps_what_was_done_since(
    mine: str, theirs: str, both: str
) -> None:
    document, base = SharedDocument(), "one\ntwo\nthree\n"
    cell = document.add(base)
    document.edit(cell, theirs)
    document.edit(cell, mine, base)
    assert sources(document) == [both]


@given(text, text, text)
def test_an_edit_of_an_older_source_merges_whatever_it_is(base: str, one: str, two: str) -> None:
    document = SharedDocument()
    cell = document.add(base)
    document.edit(cell, one, base)
    assert sources(document) == [one]
    document.edit(cell, base, base)
    assert sources(document) == [one]
    document.edit(cell, two, base)
    assert set(sources(document)[0]) <= set(base + one + two)
    assert one != base or sources(document) == [two]


def test_two_edits_of_one_cell_are_both_kept() -> None:
    peers = Peers(2)
    one, other = peers.replicas
    cell = one.add("café = 1\nx = 2")
    peers.settle(random.Random(1))
    one.edit(cell, "café = 100\nx = 2")
    other.edit(cell, "thé = 1\nx = 2🙂")
    peers.settle(random.Random(1))
    assert sources(one) == sources(other) == ["thé = 100\nx = 2🙂"]


def test_two_cells_put_at_one_place_at_once_are_both_there() -> None:
    peers = Peers(2)
    one, other = peers.replicas
    for source in "ad":
        one.add(source)
    peers.settle(random.Random(1))
    one.add("b", index=1)
    other.add("c", index=1)
    peers.settle(random.Random(1))
    assert sources(one) == sources(other)
    assert sorted(sources(one)) == sources(one) or sources(one) == ["a", "c", "b", "d"]


def test_a_cell_that_is_moved_is_moved_once() -> None:
    peers = Peers(2)
    one, other = peers.replicas
    cells = [one.add(source) for source in "abc"]
    peers.settle(random.Random(1))
    one.move(cells[0], 2)
    other.move(cells[0], 1)
    peers.settle(random.Random(1))
    assert sources(one) == sources(other)
    assert sorted(sources(one)) == ["a", "b", "c"]


def test_what_is_not_there_or_already_there() -> None:
    document = SharedDocument()
    for act_on in (document.get, document.remove, lambda cell: document.edit(cell, "")):
        with pytest.raises(CellNotFoundError, match="Cell not found: nope"):
            act_on("nope")
    document.add("1", cell_id="mine")
    with pytest.raises(ConflictError, match="there is a cell mine already"):
        document.add("2", cell_id="mine")


@pytest.mark.parametrize("update", [b"", b"\0", b"rubbish", b"\xff" * 30])
def test_bytes_that_are_no_change_are_refused(update: bytes) -> None:
    document = SharedDocument()
    document.add("1")
    with pytest.raises(UsageError):
        document.merge(update)
    assert sources(document) == ["1"]


def test_half_a_character_becomes_a_question_mark() -> None:
    document = SharedDocument()
    cell = document.add("x\ud800")
    document.append(cell, "\udfff")
    assert sources(document) == ["x??"]


def test_a_listener_hears_each_change_once_and_after_it() -> None:
    document = SharedDocument()
    heard: list[list[str]] = []
    document.listen(lambda: heard.append(sources(document)))
    cell = document.add("1")
    document.edit(cell, "12")
    document.edit(cell, "12")
    document.set_metadata("a", {"b": [1, None]})
    assert heard == [["1"], ["12"], ["12"]]
    assert document.metadata() == {"a": {"b": [1, None]}}


def test_a_closed_document_can_only_be_read() -> None:
    document = SharedDocument()
    document.add("1")
    document.close()
    document.close()
    with pytest.raises(UsageError, match="closed"):
        document.add("2")
    assert sources(document) == ["1"]


def test_a_document_that_nobody_has_is_gone_at_once() -> None:
    document = SharedDocument()
    document.add("1")
    gone = weakref.ref(document)
    gc.disable()
    try:
        del document
        assert gone() is None
    finally:
        gc.enable()


# --- places -----------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 40), max_size=200))
def test_there_is_always_a_place_between_two_others(indices: list[int]) -> None:
    places = [positions.nth(index) for index in range(3)]
    for index in indices:
        at = min(index, len(places))
        before = places[at - 1] if at else ""
        after = places[at] if at < len(places) else ""
        place = positions.between(before, after)
        assert before < place and (not after or place < after)
        places.insert(at, place)
    assert places == sorted(set(places))


def halves() -> Iterator[str]:
    low, high = positions.nth(0), positions.nth(1)
    while True:
        yield (low := positions.between(low, high))


def test_places_stay_short() -> None:
    found = halves()
    assert max(len(next(found)) for _ in range(1000)) < 600
