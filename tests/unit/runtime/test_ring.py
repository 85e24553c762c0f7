import weakref

from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.runtime.ring import Ring

items = st.lists(st.text("abc", max_size=6), max_size=60)


@given(items, st.integers(1, 20))
def test_the_newest_are_kept_and_the_dropped_are_counted(words: list[str], capacity: int) -> None:
    ring: Ring[str] = Ring(capacity)
    ring.extend(words[: len(words) // 2])
    for word in words[len(words) // 2 :]:
        ring.append(word)

    assert ring.slice(0) == words[-capacity:]
    assert ring.dropped == max(0, len(words) - capacity)
    assert ring.end == len(words)


@given(items, st.integers(1, 20), st.booleans())
def test_a_weighed_ring_stays_within_its_capacity(
    words: list[str], capacity: int, at_once: bool
) -> None:
    ring: Ring[str] = Ring(capacity, len)
    if at_once:
        ring.extend(words)
    else:
        for word in words:
            ring.append(word)

    kept = ring.slice(0)
    assert kept == words[len(words) - len(kept) :]
    assert sum(map(len, kept)) == ring.weight
    assert ring.weight <= capacity or len(kept) == 1
    assert ring.first == ring.dropped == len(words) - len(kept)


@given(items, st.integers(1, 20), st.integers(0, 70), st.integers(0, 70))
def test_slices_are_by_absolute_index(
    words: list[str], capacity: int, start: int, stop: int
) -> None:
    ring: Ring[str] = Ring(capacity)
    ring.extend(words)

    low = max(start, ring.first)
    assert ring.slice(start, stop) == words[low : max(low, stop)]


def test_a_long_life_does_not_grow() -> None:
    ring: Ring[int] = Ring(100)
    for number in range(50_000):
        ring.append(number)

    assert ring.slice(ring.end - 2) == [49_998, 49_999]
    assert len(ring._items) < 4_000


def test_clear_returns_everything_and_goes_on_counting() -> None:
    ring: Ring[str] = Ring(10)
    ring.extend("abc")

    assert ring.clear() == ["a", "b", "c"]
    ring.append("d")
    assert (ring.first, ring.end, ring.slice(0)) == (3, 4, ["d"])


def test_what_was_dropped_is_let_go() -> None:
    class Heavy:
        def __len__(self) -> int:
            return 10_000

    ring: Ring[Heavy] = Ring(100_000, len)
    held: list[weakref.ref[Heavy]] = []
    for _ in range(100):
        ring.append(Heavy())
        held.append(weakref.ref(ring.slice(ring.end - 1)[0]))

    assert len(ring) == 10
    assert sum(each() is not None for each in held) <= 12
