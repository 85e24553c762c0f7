"""When control mode is tried again."""

from __future__ import annotations

from sandbox_tui.backends.tmux.patience import LONGEST_PAUSE, SHORT_LIVES, Patience


def test_at_first_it_is_tried() -> None:
    assert Patience().allows(0.0)


def test_every_failure_makes_the_pause_longer_up_to_a_bound() -> None:
    patience, now, pauses = Patience(), 100.0, list[float]()
    for _ in range(8):
        patience.lose(now)
        pauses.append(next(s for s in (5.0, 10.0, 20.0, 40.0, 60.0) if patience.allows(now + s)))
        now += LONGEST_PAUSE

    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0, 60.0]


def test_a_few_short_lives_are_no_failure() -> None:
    patience = Patience()
    assert all(patience.outlived(0.1) for _ in range(SHORT_LIVES))
    assert not patience.outlived(0.1)


def test_a_long_life_makes_good() -> None:
    patience = Patience()
    for _ in range(10):
        assert patience.outlived(0.1)
        assert patience.outlived(30.0)
