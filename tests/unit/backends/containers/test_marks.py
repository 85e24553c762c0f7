"""The output of one command, cut out of all that a shell prints."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.containers.commands.marks import Mark, Marks

NONCE = "0123456789abcdef" * 2
BEGIN, END = (f"\x01{NONCE} {words}\n".encode() for words in ("begin /proc/1 /proc/7", "end 3"))
TRAPS = (b"\x01", b"\x01" + NONCE.encode(), b"\x01" + NONCE[:-1].encode() + b" end 0\n", b"\n")
START = f"\x01{NONCE} ".encode()
pieces = st.lists(st.binary(max_size=6) | st.sampled_from(TRAPS), max_size=8)
said = pieces.map(b"".join).filter(lambda data: START not in data)


def fed(wire: bytes, sizes: list[int]) -> list[bytes | Mark]:
    """What comes of it when it arrives in pieces of these sizes."""
    marks, found = Marks(NONCE), list[bytes | Mark]()
    for size in sizes:
        found += marks.feed(wire[:size])
        wire = wire[size:]
    return found + marks.feed(wire)


@given(before=said, own=said, after=said, sizes=st.lists(st.integers(0, 40)))
def test_what_is_between_two_marks_is_found_however_it_is_cut(
    before: bytes, own: bytes, after: bytes, sizes: list[int]
) -> None:
    found = fed(before + BEGIN + own + END + after + b"...", sizes)
    marks = [at for at, piece in enumerate(found) if isinstance(piece, Mark)]

    assert [found[at] for at in marks] == [
        Mark("begin", ("/proc/1", "/proc/7")),
        Mark("end", ("3",)),
    ]
    parts = (found[: marks[0]], found[marks[0] + 1 : marks[1]], found[marks[1] + 1 :])
    assert [b"".join(part) for part in parts] == [before, own, after + b"..."]  # type: ignore[arg-type]


def test_nothing_waits_that_cannot_be_a_mark() -> None:
    marks = Marks(NONCE)

    assert marks.feed(b"no newline") == [b"no newline"]
    assert marks.feed(b"a\x01b") == [b"a\x01b"]
    assert marks.feed(b"c\x01") == [b"c"]
    assert marks.feed(b"d") == [b"\x01d"]
