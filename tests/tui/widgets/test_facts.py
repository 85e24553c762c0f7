"""The facts: aligned, bounded, searchable, and steady while they change."""

from __future__ import annotations

from sandbox_tui.tui.widgets.facts import FactsView
from tests.tui.widgets.stage import NASTY, every_size, staged


@every_size
async def test_facts_begin_at_the_top_and_are_aligned(size: tuple[int, int]) -> None:
    view = FactsView()
    view.show({"ref": "container:web", "labels": {"a": "[/red]x"}, "n": 1})
    async with staged(view, size) as show:
        assert show.rows[:5] == [
            "ref     container:web", "labels", "  a  [/red]x", "n       1", "",
        ]  # fmt: skip
        assert not view.following


async def test_the_place_and_the_search_stay_while_facts_change() -> None:
    view = FactsView()
    view.show({f"key {n}": n for n in range(200)})
    async with staged(view) as show:
        view.scroll_rows(50)
        view.search("key 6")
        view.last()
        assert not view.following
        view.scroll_to_share(0.25)
        view.show({f"key {n}": n + 1 for n in range(200)})
        await show.settle()
        assert show.rows[0].startswith("key 50   51")
        assert view.match_count[1] == 11
        view.next_match()
        assert view.match_count[0] > 0


async def test_endless_facts_are_bounded() -> None:
    view = FactsView()
    deep: dict[str, object] = {}
    deep["deep"] = deep
    view.show({"many": list(range(100_000)), **deep})
    async with staged(view) as show:
        assert view.line_count[0] <= 5000
        view.last()
        await show.settle()


@every_size
async def test_any_facts(size: tuple[int, int]) -> None:
    view = FactsView()
    view.show({name: {name: [name, {name: name}]} for name in NASTY})
    async with staged(view, size) as show:
        assert not set(show.text) & set("\x00\x1b\x07\u202e\ud800")
        view.wrap = True
        await show.settle()
        assert "[/red]x" in show.text
