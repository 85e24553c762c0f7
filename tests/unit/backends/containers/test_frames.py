"""Bytes of a stream taken apart: whatever way they are cut up on the wire."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.containers.engine.frames import Chunks, Frames, Voices
from sandbox_tui.model.outputs import Text

BODIES = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
SAID = st.lists(st.tuples(st.sampled_from([1, 2]), st.text(max_size=12)), max_size=12)


def framed(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(BODIES, st.lists(st.integers(0, 10_000), max_size=20))
def test_chunks_give_the_body_however_it_is_cut(parts: list[bytes], places: list[int]) -> None:
    chunks = Chunks()
    pieces = cut(chunked(parts), places)

    assert b"".join(chunks.feed(piece) for piece in pieces) == b"".join(parts)
    assert chunks.complete


@given(BODIES, st.integers(1, 10_000))
def test_chunks_that_are_cut_off_are_not_complete(parts: list[bytes], missing: int) -> None:
    body = chunked(parts)
    chunks = Chunks()
    # The very last line end says nothing new.
    chunks.feed(body[: max(0, len(body) - 2 - missing)])

    assert not chunks.complete


def test_extensions_of_chunks_are_skipped() -> None:
    assert Chunks().feed(b"3;note=x\r\nabc\r\n") == b"abc"


@pytest.mark.parametrize("garbage", [b"xyz\r\nabc\r\n", b"\r\n\r\n", b"-5\r\nabc\r\n"])
def test_no_chunks_are_an_error(garbage: bytes) -> None:
    with pytest.raises(ValueError, match=r"size|literal"):
        Chunks().feed(garbage)


@given(SAID, st.lists(st.integers(0, 10_000), max_size=20))
def test_both_streams_arrive_whole(said: list[tuple[int, str]], places: list[int]) -> None:
    wire = b"".join(framed(stream, text.encode()) for stream, text in said)
    frames, voices, texts = Frames(), Voices(), list[Text]()
    for piece in cut(wire, places):
        texts += voices.texts(frames.feed(piece))
    frames.rest()
    texts += voices.rest()

    for number, name in ((1, "stdout"), (2, "stderr")):
        told = "".join(text.text for text in texts if text.stream == name)
        assert told == "".join(text for stream, text in said if stream == number)


def test_neighbours_of_one_stream_are_one_text() -> None:
    wire = framed(1, b"a") + framed(1, b"b") + framed(2, b"c") + framed(1, b"d")

    assert Voices().texts(Frames().feed(wire)) == [
        Text("stdout", "ab"),
        Text("stderr", "c"),
        Text("stdout", "d"),
    ]


def test_a_character_cut_by_a_frame_is_put_together() -> None:
    head, tail = "é".encode()[:1], "é".encode()[1:]
    frames = Frames().feed(framed(1, head) + framed(2, b"!") + framed(1, tail))

    assert [text.text for text in Voices().texts(frames)] == ["!", "é"]


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    voices = Voices()

    assert voices.texts([(1, b"a\xffb\xc3")]) == [Text("stdout", "a\ufffdb", raw=b"a\xffb")]
    assert voices.rest() == [Text("stdout", "\ufffd", raw=b"\xc3")]


@given(pieces=st.lists(st.binary(max_size=8) | st.text(max_size=4).map(str.encode)))
def test_the_bytes_are_there_whatever_they_are(pieces: list[bytes]) -> None:
    voices = Voices()
    texts = [text for piece in pieces for text in voices.texts([(1, piece)])] + voices.rest()

    said = b"".join(pieces)
    assert b"".join(text.data for text in texts) == said
    assert "".join(text.text for text in texts) == said.decode("utf-8", "replace")


def test_an_end_within_a_frame_is_an_error() -> None:
    frames = Frames()
    frames.feed(framed(1, b"abc")[:-1])

    with pytest.raises(EOFError):
        frames.rest()


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400", struct.pack(">BxxxL", 1, 1 << 31)])
def test_no_frames_are_an_error(garbage: bytes) -> None:
    with pytest.raises(ValueError, match="no frame"):
        Frames().feed(garbage)
