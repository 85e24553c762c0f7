"""What two people typed into one text at the same time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.tui.widgets.merging import change, merged

TEXTS = st.text("ab\né", max_size=12)


@given(TEXTS, TEXTS)
def test_a_change_makes_one_text_of_the_other(before: str, after: str) -> None:
    assert change(before, after).applied(before) == after


@given(TEXTS, TEXTS)
def test_one_who_changed_nothing_gets_the_other_s_text(base: str, other: str) -> None:
    assert merged(base, base, other) == other
    assert merged(base, other, base) == other
    assert merged(base, other, other) == other


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "both"),
    [
        ("x = 1\n", "x = 1\ny", "# é\nx = 1\n", "# é\nx = 1\ny"),
        ("x = 1\n", "# x\nx = 1\n", "x = 1\nprint(x)", "# x\nx = 1\nprint(x)"),
        ("abc", "aXc", "aYc", "aXc"),
        ("abc", "abXc", "aYc", "aYXc"),
        ("abcd", "bcd", "abc", "bc"),
    ],
)
def test_both_changes_stand_where_they_do_not_touch(
    base: str, mine: str, theirs: str, both: str
) -> None:
    assert merged(base, mine, theirs) == both
