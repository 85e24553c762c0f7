"""Which file wins, what a faulty one says, and what a project may not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import ContainerSpec, HostAccess, RoomSpec, TmuxSpec
from sandbox_tui.settings import paths
from sandbox_tui.settings.load import Loaded, load
from sandbox_tui.settings.schema import Config


@pytest.fixture
def project(home: Path) -> Path:
    folder = home / "home" / "project"
    folder.mkdir()
    return folder


def write(folder: Path, text: str) -> Path:
    file = folder / paths.PROJECT_FILE
    file.write_text(text, encoding="utf-8")
    return file


def write_user(text: str) -> Path:
    file = paths.user_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def refused(folder: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return caught.value


def test_without_files_everything_is_default(project: Path) -> None:
    assert load(project) == Loaded(config=Config())


def test_the_documented_defaults_are_the_defaults(project: Path) -> None:
    documented = load(project, defaults=True)
    assert documented.config == Config()
    assert documented.files == (paths.default_file(),)
    every_leaf = {path for path in documented.sources if not path.startswith("sandboxes")}
    assert "backends.tmux.binary" in every_leaf
    assert len(every_leaf) >= 23


@pytest.mark.parametrize("name", ["a/b", "work\\n", "a\\tb"])
def test_a_socket_is_a_name(project: Path, name: str) -> None:
    write(project, f'backends: {{tmux: {{sockets: ["{name}"]}}}}')
    with pytest.raises(ConfigError, match="a name without a slash"):
        load(project)
    write(project, f'sandboxes: {{a: {{socket: "{name}"}}}}')
    assert set(load(project).broken) == {"a"}


def test_no_yaml_is_imported_when_there_is_no_file(project: Path) -> None:
    code = (
        "import sys; from sandbox_tui.settings.load import load; load();"
        "assert 'yaml' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)


def test_the_project_is_found_upward_and_wins_key_by_key(project: Path) -> None:
    write(project, "refresh: {tmux: 2}\nui: {keymap: {sandbox.stop: [X]}}\n")
    write_user("refresh: {tmux: 3, room: 4}\nui: {theme: nord, keymap: {sandbox.start: [U]}}\n")
    deep = project / "a" / "b"
    deep.mkdir(parents=True)
    config = load(deep).config
    assert (config.refresh.tmux, config.refresh.room, config.refresh.container) == (2, 4, 1)
    assert config.ui.theme == "nord"
    assert config.ui.keymap == {"sandbox.stop": ("X",), "sandbox.start": ("U",)}


def test_entries_merge_field_by_field(project: Path) -> None:
    write(project, "sandboxes: {a: {command: near, env: {X: 1}}}")
    write_user("sandboxes: {a: {command: far, working_dir: /w, env: {Y: 2}}, b: {}}")
    assert load(project).definitions == {
        Ref("tmux:a"): TmuxSpec(
            name="a", command="near", working_dir="/w", env={"X": "1", "Y": "2"}
        ),
        Ref("tmux:b"): TmuxSpec(name="b"),
    }


def test_an_entry_of_another_backend_replaces_the_whole(project: Path) -> None:
    write(project, "sandboxes: {a: {backend: container, image: web}}")
    write_user("sandboxes: {a: {backend: tmux, command: far, socket: work}}")
    loaded = load(project)
    assert loaded.definitions == {Ref("container:a"): ContainerSpec(name="a", image="web")}


def test_every_value_has_a_source(project: Path) -> None:
    file = write(project, "refresh:\n  tmux: 2\nui:\n  keymap:\n    sandbox.stop: [X]\n")
    user = write_user("ui:\n  theme: nord\n")
    sources = load(project, defaults=True).sources
    assert str(sources["refresh.tmux"]) == f"{file}:2"
    assert str(sources['ui.keymap."sandbox.stop"']) == f"{file}:5"
    assert str(sources["ui.theme"]) == f"{user}:2"
    assert sources["policy.allow"].file == str(paths.default_file())


def test_kinds_are_told_by_what_an_entry_has(project: Path) -> None:
    write(project, "sandboxes: {t: , c: {image: i}, r: {kernel: ir}, x: {backend: room}}")
    assert set(load(project).definitions) == {"tmux:t", "container:c", "room:r", "room:x"}
    assert load(project).definitions[Ref("room:r")] == RoomSpec(name="r", kernel="ir")


def test_what_was_written_is_taken_where_text_is_wanted(project: Path) -> None:
    write(
        project,
        "sandboxes:\n"
        "  c:\n"
        "    image: 3.10\n"
        "    ports: [8080, 2222:22, 53/udp, '127.0.0.1:80:80']\n"
        "    env: {PORT: 8080, ON: yes, V: 1.10, D: 2024-01-01, O: 010}\n"
        "    command: [serve, 8080, true]\n",
    )
    spec = load(project).definitions[Ref("container:c")]
    assert isinstance(spec, ContainerSpec)
    assert spec.image == "3.10"
    assert spec.ports == ("8080:8080", "2222:22", "53:53/udp", "127.0.0.1:80:80")
    assert spec.env == {"PORT": "8080", "ON": "yes", "V": "1.10", "D": "2024-01-01", "O": "010"}
    assert spec.command == ("serve", "8080", "true")


def test_paths_start_at_the_file_that_says_them(project: Path, home: Path) -> None:
    write(project, "sandboxes: {c: {image: i, volumes: [./data:/d:ro, named:/n, /abs:/a]}}")
    user = write_user(
        "sandboxes: {c: {log_volume: '~/logs:/l', working_dir: in/side}, t: {working_dir: .}}"
    )
    definitions = load(project).definitions
    spec = definitions[Ref("container:c")]
    assert isinstance(spec, ContainerSpec)
    assert spec.volumes == (f"{project}/data:/d:ro", "named:/n", "/abs:/a")
    assert spec.log_volume == f"{home}/home/logs:/l"
    assert spec.working_dir == "in/side"
    assert definitions[Ref("tmux:t")].working_dir == str(user.parent)


def test_anchors_and_merges_work(project: Path) -> None:
    write(
        project,
        "sandboxes:\n"
        "  a: &a {command: x, env: {A: 1}}\n"
        "  b: {<<: *a, command: y}\n"
        "  c: {<<: [{command: z}, *a]}\n",
    )
    commands = {spec.name: spec.command for spec in load(project).definitions.values()}  # pyright: ignore[reportAttributeAccessIssue]
    assert commands == {"a": "x", "b": "y", "c": "z"}


def test_a_container_may_say_everything_a_spec_has(project: Path) -> None:
    write(
        project,
        "sandboxes:\n"
        "  c:\n"
        "    image: i\n"
        "    entrypoint: [sh, -c]\n"
        "    user: 1000\n"
        "    memory: 1.5g\n"
        "    swap: 0\n"
        "    shm: 64m\n"
        "    cpus: 2\n"
        "    pids: 100\n"
        "    read_only: yes\n"
        "    tmpfs: [/tmp]\n"
        "    security: strict\n"
        "    access: {capabilities: [NET_ADMIN], gpus: 1}\n"
        "    ttl: 60\n"
        "    idle_timeout: 50\n"
        "    persist: true\n",
    )
    assert load(project).definitions[Ref("container:c")] == ContainerSpec(
        name="c",
        image="i",
        entrypoint=("sh", "-c"),
        user="1000",
        memory=3 * 2**29,
        swap=0,
        shm=2**26,
        cpus=2.0,
        pids=100,
        read_only=True,
        tmpfs=("/tmp",),
        security="strict",
        access=HostAccess(capabilities=("NET_ADMIN",), gpus="1"),
        ttl=60.0,
        idle_timeout=50.0,
        persist=True,
    )


def test_a_profile_makes_a_container_and_has_its_fields(project: Path) -> None:
    write(project, "profiles: {ml: {image: i, memory: 2g}}\nsandboxes: {c: {profile: ml}}")
    loaded = load(project)
    assert loaded.definitions == {Ref("container:c"): ContainerSpec(name="c", profile="ml")}
    assert loaded.config.profiles["ml"].memory == 2**31


def test_a_faulty_entry_is_left_out_and_the_rest_goes_on(project: Path) -> None:
    file = write(
        project,
        "sandboxes:\n"
        "  good: {command: x}\n"
        "  typo:\n"
        "    backend: tmux\n"
        "    comand: x\n"
        "  mixed: {backend: tmux, image: i}\n"
        "  bare: {backend: container}\n"
        "  wrong: {command: {a: b}}\n"
        "  path: {socket: ../evil}\n"
        "  env: {env: {A: null}}\n"
        "  list: [1]\n"
        "  size: {image: i, memory: lots}\n"
        "  within: {image: i, access: {devices: [sda]}}\n"
        '  "line\\nend": {}\n'
        "  empty: {command: []}\n",
    )
    loaded = load(project)
    assert set(loaded.definitions) == {"tmux:good"}
    assert set(loaded.config.sandboxes) == {"good"}
    told = {name: (str(error), error.hint) for name, error in loaded.broken.items()}
    assert told["typo"] == (
        f"{file}:5: unknown key sandboxes.typo.comand",
        "Did you mean sandboxes.typo.command?",
    )
    assert told["mixed"][0] == f"{file}:6: sandboxes.mixed.image: a tmux has none"
    assert told["bare"][0] == f"{file}:7: sandboxes.bare: a container needs an image"
    assert told["wrong"][0] == f"{file}:8: sandboxes.wrong.command must be text, not a mapping"
    assert told["path"][0] == (
        f"{file}:9: sandboxes.path.socket must be a name without a slash, not ../evil"
    )
    assert told["env"][0] == f"{file}:10: sandboxes.env.env.A must be text, not null"
    assert told["list"][0] == f"{file}:11: sandboxes.list must be a mapping of keys, not a list"
    assert told["size"][0].startswith(f"{file}:12: sandboxes.size.memory must be a size like")
    assert told["within"][0].startswith(f"{file}:13: sandboxes.within.access.devices: 'sda' is")
    assert told["line\nend"][0].startswith(f'{file}:14: sandboxes."line\\nend"')
    assert told["empty"][0].startswith(f"{file}:15: sandboxes.empty.command: it is empty")
    assert len(loaded.problems) == 11


@pytest.mark.parametrize(
    ("text", "line", "reason", "hint"),
    [
        ("\nrefersh: 1", 2, "unknown key refersh", "Did you mean refresh?"),
        ("ui: {x: 1}", 1, "unknown key ui.x", "Known: theme, preset, keymap."),
        (
            "backends:\n  tmux:\n    sokets: [a]",
            3,
            "unknown key backends.tmux.sokets",
            "Did you mean backends.tmux.sockets?",
        ),
        ("refresh: {tmux: soon}", 1, "refresh.tmux must be a number from 0.05 to 3600", ""),
        ("refresh: {tmux: 0}", 1, "refresh.tmux must be a number from 0.05 to 3600, not 0", ""),
        ("refresh: {tmux: yes}", 1, "refresh.tmux must be a number from 0.05 to 3600", ""),
        ("ui: {preset: vim}", 1, "ui.preset must be one of default, lazydocker, k9s", ""),
        ("ui: {keymap: {a: S}}", 1, "ui.keymap.a must be a list, not S", ""),
        ("backends: {room: {pool: 1.5}}", 1, "backends.room.pool must be a whole number", ""),
        ("backends: {tmux: {sockets: [a/b]}}", 1, "backends.tmux.sockets[0] must be a name", ""),
        ("sandboxes: 3", 1, "sandboxes must be a mapping of keys, not 3", ""),
        ("a: [", 2, "is not YAML", ""),
        ("- 1", 1, "the file must be a mapping of keys", ""),
        ("ui: 1\nui: 2", 2, "the key ui is there twice", ""),
        ("ui: &a {theme: *a}", 1, "an anchor contains itself", ""),
        ("ui: {<<: 3}", 1, "only a mapping can be merged", ""),
        ("? [a]\n: 1", 1, "a key must be a word", ""),
        ("ui: {theme: !!python/object:os.system x}", 1, "is not YAML", ""),
        ("\0", None, "is not YAML", ""),
        ("[" * 5000, None, "", ""),
    ],
)
def test_a_faulty_file_names_file_line_and_path(
    project: Path, text: str, line: int | None, reason: str, hint: str
) -> None:
    file = write(project, text)
    error = refused(project)
    assert error.path == str(file)
    assert error.reason.startswith(reason)
    assert hint in error.hint
    if line is not None:
        assert error.line == line


def test_a_file_that_is_no_text_says_so(project: Path) -> None:
    (project / paths.PROJECT_FILE).write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in refused(project).reason


@pytest.mark.parametrize(
    "text",
    [
        "backends: {tmux: {binary: ./evil}}",
        "backends: {container: {runtime: podman}}",
        "backends: {container: {hosts: ['ssh://evil']}}",
        "backends: {room: {servers: ['https://evil']}}",
        "policy: {allow: [privileged]}",
    ],
)
def test_a_project_may_not_choose_what_is_executed(project: Path, text: str) -> None:
    write(project, text)
    error = refused(project)
    assert "is not for a project's file" in error.reason
    assert str(paths.user_file()) in error.hint
    (project / paths.PROJECT_FILE).unlink()
    write_user(text)
    assert load(project).config != Config()


@pytest.mark.parametrize("address", ["gpu1:8888/?token=x", "http://me:x@gpu1/", "ftp://gpu1/"])
def test_a_servers_address_is_refused_without_its_token(project: Path, address: str) -> None:
    write_user(f"backends: {{room: {{servers: ['{address}']}}}}")
    reason = refused(project).reason
    assert "servers[0] must be an address like http://host:8888/?token=…" in reason
    assert "token=x" not in reason


def test_a_profile_is_relative_to_the_file_that_says_it(project: Path, home: Path) -> None:
    (project / "sandbox-tui.yml").write_text(
        'profiles: {ml: {image: x, volumes: ["./data:/data", "named:/x"], ports: [8080]}}\n'
    )
    below = project / "below"
    below.mkdir(exist_ok=True)

    profile = load(below).config.profiles["ml"]

    assert profile.volumes == (f"{project}/data:/data", "named:/x")
    assert profile.ports == ("8080:8080",)
