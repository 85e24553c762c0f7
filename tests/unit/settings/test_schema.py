"""The JSON Schema says what the loader does, and paths are found in both kinds of install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox_tui.settings import paths
from sandbox_tui.settings.schema import schema
from sandbox_tui.settings.sources import dotted


def test_the_schema_is_json_and_names_every_section() -> None:
    written = json.loads(json.dumps(schema()))
    sections = written["$defs"]["Config"]["properties"]
    assert set(sections) == {
        "refresh",
        "backends",
        "profiles",
        "sandboxes",
        "policy",
        "server",
        "ui",
    }
    assert written["$defs"]["Entry"]["additionalProperties"] is False
    port = written["$defs"]["Entry"]["properties"]["ports"]["anyOf"][0]["items"]["type"]
    assert "number" in port


def test_bundled_folders_are_in_the_checkout() -> None:
    assert (paths.bundled("config") / "default.yml").is_file()


def test_a_wheel_carries_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "_data" / "themes").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path)
    assert paths.bundled("themes") == tmp_path / "_data" / "themes"


def test_a_relative_xdg_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert paths.user_file() == home / "home" / ".config" / "sandbox-tui" / "config.yml"


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("a", "p.a"),
        ("a-b_1", "p.a-b_1"),
        ("a.b", 'p."a.b"'),
        ("a b", 'p."a b"'),
        ("a\n\x1b", 'p."a\\n\\x1b"'),
        ("é ü", 'p."é ü"'),
    ],
)
def test_keys_with_dots_are_quoted(key: str, written: str) -> None:
    assert dotted("p", key) == written
