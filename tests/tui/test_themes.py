"""Themes: every bundled one loads and can be read; a broken one is a notice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.color import Color

from sandbox_tui.model.errors import ConfigError
from sandbox_tui.settings import paths
from sandbox_tui.tui.outfit import Outfit, load_outfit, load_rules
from sandbox_tui.tui.theme import FALLBACK, Themes, read_theme
from tests.tui.machine import Machine

BUNDLED = sorted(paths.bundled("themes").glob("*.yaml"))
INKS = ("primary", "secondary", "accent", "success", "warning", "error")


def luminance(colour: Color) -> float:
    parts = (value / 255 for value in colour.rgb)
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(luminance(Color.parse(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def test_there_are_light_and_dark_ones() -> None:
    kinds = [read_theme(path).dark for path in BUNDLED]
    assert len(kinds) >= 8
    assert kinds.count(False) >= 3
    assert kinds.count(True) >= 3


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_it_can_be_read_on_all_of_its_grounds(path: Path) -> None:
    theme = read_theme(path)
    for ground in (theme.background, theme.surface, theme.panel):
        assert ground
        assert contrast(theme.foreground or "", ground) >= 7
        for name in INKS:
            assert contrast(getattr(theme, name), ground) >= 4.5, f"{name} on {ground}"


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_its_name_is_its_file(path: Path) -> None:
    assert f"name: {path.stem}" in path.read_text()


def test_the_users_own_win_and_builtin_ones_are_there(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text('primary: "#123456"\n')
    (tmp_path / "harbor.yaml").write_text('primary: "#abcdef"\ndark: false\n')
    themes = Themes((paths.bundled("themes"), tmp_path))
    assert {"mine", "harbor", "paper", "nord", "textual-dark"} <= set(themes.names)
    assert themes.load("harbor").primary == "#abcdef"
    assert themes.load("nord").name == "nord"
    assert themes.after(themes.names[-1]) == themes.names[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("primary: 7\n", "Expected `str`"),
        ("primry: red\n", "primry"),
        ('primary: "#zzz"\n', "#zzz"),
        ("primary: [\n", "mine.yaml"),
    ],
)
def test_a_broken_file_names_itself(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_theme(path)
    assert str(path) in caught.value.message
    assert said in caught.value.message


def test_an_unknown_theme_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        Themes((paths.bundled("themes"),)).load("harbour")
    assert "harbor" in caught.value.hint


def test_a_broken_theme_at_the_start_is_a_notice(home: Path) -> None:
    folder = home / "config" / "sandbox-tui"
    (folder / "themes").mkdir(parents=True)
    (folder / "themes" / "mine.yaml").write_text("primary: 7\n")
    (folder / "config.yml").write_text("ui: {theme: mine}\n")
    outfit = load_outfit()
    assert outfit.theme.name == FALLBACK
    assert "mine.yaml" in outfit.notices[0]


async def test_a_broken_theme_later_is_told_and_changes_nothing(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("primary: 7\n")
    themes = await asyncio.to_thread(Themes, (tmp_path,))
    machine.outfit = Outfit(themes=themes, rules=load_rules)
    async with machine.dashboard() as sight:
        before = sight.app.theme
        await sight.press("colon")
        await sight.type("theme mine")
        await sight.press("enter")
        await sight.until(lambda: "mine.yaml" in sight.notices)
        assert sight.app.theme == before


async def test_every_bundled_theme_can_be_worn(machine: Machine) -> None:
    themes = await asyncio.to_thread(Themes, (BUNDLED[0].parent,))
    machine.outfit = Outfit(themes=themes, rules=load_rules)
    async with machine.dashboard() as sight:
        for path in BUNDLED:
            sight.app.wear(path.stem)
            await sight.until(lambda: sight.app.theme == path.stem)  # noqa: B023


async def test_the_next_theme_is_named(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("T")
        await sight.until(lambda: f"theme {sight.app.theme}" in sight.notices)
