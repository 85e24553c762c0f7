"""The cursor stays on its sandbox, whatever the list does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.widgets.list_columns import draw, share_out
from sandbox_tui.tui.widgets.rows import Look, Row, Section, Spot, spots, stay

REFS = [Ref(f"tmux:s{n}") for n in range(8)]
PLACES = st.lists(st.builds(Spot, st.sampled_from("abc"), st.sampled_from(REFS)), unique=True)
A, B, C, D = (Spot("tmux", ref) for ref in REFS[:4])


def test_it_follows_its_row() -> None:
    assert stay(B, [A, B, C], [C, B, A, D]) == B


def test_a_sandbox_that_left_one_section_is_found_in_another() -> None:
    needy = Spot("attention", B.ref)
    assert stay(needy, [needy, A, B], [A, B]) == B


def test_when_it_is_gone_the_neighbour_below_is_next() -> None:
    assert stay(B, [A, B, C, D], [A, C, D]) == C
    assert stay(B, [A, B, C, D], [D, A]) == D


def test_at_the_end_of_its_section_the_neighbour_above_is_next() -> None:
    room = Spot("room", Ref("room:r"))
    assert stay(C, [A, B, C, room], [A, B, room]) == B


def test_out_of_an_emptied_section_into_the_next() -> None:
    room = Spot("room", Ref("room:r"))
    assert stay(A, [A, room], [room]) == room


def test_nothing_is_selected_only_when_there_is_nothing() -> None:
    assert stay(A, [A], []) is None
    assert stay(None, [], [B, A]) == B


@given(st.none() | st.builds(Spot, st.sampled_from("abc"), st.sampled_from(REFS)), PLACES, PLACES)
def test_it_is_always_on_a_row_that_is_there(
    spot: Spot | None, before: list[Spot], after: list[Spot]
) -> None:
    found = stay(spot, before, after)
    assert (found in after) if after else found is None
    if spot and any(place.ref == spot.ref for place in after):
        assert found is not None
        assert found.ref == spot.ref


def test_spots_are_in_the_order_of_the_screen() -> None:
    one, two = (Row(ref, Look.IDLE, ref.name) for ref in REFS[:2])
    sections = (Section("x", "x", (one, two)), Section("y", "y", (two,)))
    assert spots(sections) == [Spot("x", one.ref), Spot("x", two.ref), Spot("y", two.ref)]


ROWS = st.builds(
    Row,
    st.sampled_from(REFS),
    st.sampled_from(Look),
    st.text(max_size=30),
    detail=st.sampled_from(["", "exit 137", "waits for you"]),
    spark=st.sampled_from(["", "▁▂▃▄▅▆▇█"]),
    badge=st.sampled_from(["", "81%  412M", "4%"]),
    age=st.sampled_from(["", "2m", "14m"]),
)


@given(st.lists(ROWS, min_size=1, max_size=5), st.integers(8, 120), st.booleans())
def test_every_row_is_exactly_as_wide_as_the_list(
    rows: list[Row], width: int, letters: bool
) -> None:
    columns = share_out(width, rows, letters=letters)
    for row in rows:
        parts = draw(row, columns, cursor=True, marked=False)
        assert sum(cell_len(text) for text, _ in parts) == width


def test_the_name_gets_the_rest() -> None:
    row = Row(REFS[0], Look.RUNNING, "web", spark="▁▂▃▄", badge="81%", age="14m")
    assert share_out(60, [row]).name == 60 - 3 - (1 + 8) - (1 + 3)


def test_narrow_lists_lose_age_then_sparks_then_all_but_the_name() -> None:
    row = Row(REFS[0], Look.RUNNING, "a-longer-name", spark="▁▂▃▄▅▆▇█", badge="81%", age="14m")

    def text(width: int) -> str:
        columns = share_out(width, [row])
        return "".join(text for text, _ in draw(row, columns, cursor=False, marked=False))

    assert text(40) == " ● a-longer-name        ▁▂▃▄▅▆▇█ 81% 14m"
    assert text(32) == " ● a-longer-name ▂▃▄▅▆▇█ 81% 14m"
    assert text(21) == " ● a-longer-name  81%"
    assert text(12) == " ● a-lo…name"
