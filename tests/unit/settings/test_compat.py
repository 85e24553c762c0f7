"""`kstlib.conf.yml` where a user already has one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import ContainerSpec, TmuxSpec
from sandbox_tui.settings.load import load
from sandbox_tui.settings.schema import Config

PAGE = """\
logger: {level: INFO}
ops:
  default_backend: tmux
  tmux_binary: tmux
  container_runtime: null
  sessions:
    astro:
      backend: tmux
      command: "python -m astro.bot"
      working_dir: "/opt/astro"
      env: {ASTRO_ENV: development}
    plain:
      socket_name: work
    astro-prod:
      backend: container
      image: "astro-bot:latest"
      volumes: ["./data:/app/data"]
      ports: [8080]
      log_volume: "./logs/astro:/app/logs"
      env: {PORT: 8080}
"""


@pytest.fixture
def folder(home: Path) -> Path:
    folder = home / "project"
    folder.mkdir()
    return folder


def write(folder: Path, text: str) -> Path:
    file = folder / "kstlib.conf.yml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ops: [1]", "ops is left out: it must be a mapping of keys"),
        ("ops: {sessions: text}", "ops.sessions is left out: it must be a mapping of keys"),
    ],
)
def test_what_has_no_keys_is_told(folder: Path, home: Path, text: str, reason: str) -> None:
    for place in (folder, home / "home"):
        file = write(place, text)
        assert [problem.message for problem in load(folder).problems] == [f"{file}:1: {reason}"]
        file.unlink()


def test_its_sessions_are_sandboxes(folder: Path) -> None:
    write(folder, PAGE)
    assert load(folder).definitions == {
        Ref("tmux:astro"): TmuxSpec(
            name="astro",
            command="python -m astro.bot",
            working_dir="/opt/astro",
            env={"ASTRO_ENV": "development"},
        ),
        Ref("tmux:plain@work"): TmuxSpec(name="plain", socket="work"),
        Ref("container:astro-prod"): ContainerSpec(
            name="astro-prod",
            image="astro-bot:latest",
            volumes=(f"{folder}/data:/app/data",),
            ports=("8080:8080",),
            log_volume=f"{folder}/logs/astro:/app/logs",
            env={"PORT": "8080"},
        ),
    }
    assert load(folder).problems == []


def test_every_value_says_where_it_was_written(folder: Path) -> None:
    file = write(folder, PAGE)
    assert str(load(folder).sources["sandboxes.astro.command"]) == f"{file}:9"
    assert load(folder).files == (file,)


def test_the_default_backend_counts_where_none_is_said(folder: Path) -> None:
    write(folder, "ops: {default_backend: container, sessions: {a: {image: x}, b: {}}}")
    loaded = load(folder)
    assert set(loaded.definitions) == {"container:a"}
    assert "needs an image" in loaded.broken["b"].reason


def test_a_project_chooses_no_program(folder: Path) -> None:
    file = write(folder, "ops:\n  tmux_binary: ./evil\n  container_runtime: /tmp/evil\n")
    loaded = load(folder)
    assert loaded.config == Config()
    told = [(problem.path, problem.line) for problem in loaded.problems]
    assert told == [(str(file), 2), (str(file), 3)]


def test_a_project_may_name_the_engine_of_its_containers(folder: Path) -> None:
    write(folder, "ops: {container_runtime: docker, sessions: {a: {image: x}, b: {}}}")
    loaded = load(folder)
    assert loaded.config.backends == Config().backends
    assert loaded.definitions[Ref("container:a@docker")].ref.place.where == "docker"
    assert Ref("tmux:b") in loaded.definitions


def test_the_users_own_may(folder: Path) -> None:
    user = Path(os.environ["XDG_CONFIG_HOME"])
    write(user, "ops: {tmux_binary: /opt/tmux, container_runtime: podman}")
    write(Path(os.environ["HOME"]), "ops: {tmux_binary: /far/tmux}")
    config = load(folder).config
    assert config.backends.tmux.binary == "/opt/tmux"
    assert config.backends.container.runtime == "podman"


def test_ours_wins_over_it_value_by_value(folder: Path) -> None:
    write(folder, "ops: {sessions: {a: {command: theirs, working_dir: /theirs}}}")
    (folder / "sandbox-tui.yml").write_text("sandboxes: {a: {command: ours}}")
    spec = load(folder).definitions[Ref("tmux:a")]
    assert spec == TmuxSpec(name="a", command="ours", working_dir="/theirs")


def test_a_broken_entry_is_told_and_skipped(folder: Path) -> None:
    file = write(folder, 'ops:\n  sessions:\n    bad: {image: "x y"}\n    good: {}\n')
    loaded = load(folder)
    assert set(loaded.definitions) == {"tmux:good"}
    assert (loaded.broken["bad"].path, loaded.broken["bad"].line) == (str(file), 3)


def test_a_file_about_something_else_is_nothing(folder: Path) -> None:
    write(folder, "logger: {level: INFO}")
    assert load(folder).definitions == {}


def test_what_is_no_yaml_is_an_error(folder: Path) -> None:
    write(folder, "ops: [")
    with pytest.raises(ConfigError, match=r"kstlib\.conf\.yml:[12]: is not YAML"):
        load(folder)
