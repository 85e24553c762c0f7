"""Project folders: found, written, and never deleted by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox_tui.hub import projects
from sandbox_tui.hub.logbook import Logbook
from sandbox_tui.hub.projects import Instance, Instances, cross_check, renew
from sandbox_tui.hub.pruning import prunable
from sandbox_tui.model.errors import ConfigError, InvalidSpecError
from sandbox_tui.model.outputs import Outcome, Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import ContainerFacts, Sandbox, State


def box(name: str, key: str, state: State = State.RUNNING, **labels: str) -> Sandbox:
    return Sandbox(
        ref=Ref(f"container:{name}"),
        state=state,
        facts=ContainerFacts(container_id=key),
        managed=True,
        labels={f"sandbox-tui.{label}": text for label, text in labels.items()},
    )


def test_a_project_is_found_upward_and_made_once(tmp_path: Path) -> None:
    root = projects.init(tmp_path / "a", 'na"me')
    (root / "b/c").mkdir(parents=True)

    assert projects.find_root(root / "b/c") == root
    assert projects.find_root(tmp_path) is None
    assert projects.read(root).project_name == 'na"me'
    file = root / ".pocketdock/pocketdock.yaml"
    before = file.read_bytes()
    projects.init(root, "other")
    assert file.read_bytes() == before
    file.write_text("project_name: [")
    with pytest.raises(ConfigError, match=r"pocketdock\.yaml"):
        projects.read(root)


def test_a_file_of_the_other_program_is_read(tmp_path: Path) -> None:
    root = projects.init(tmp_path)
    text = "project_name: p\ndefault_persist: false\nlogging:\n  retention_days: 30\n"
    (root / ".pocketdock/pocketdock.yaml").write_text(text)

    assert projects.read(root).project_name == "p"


def test_a_folder_is_removed_only_with_its_own_container(tmp_path: Path) -> None:
    instances = Instances(projects.init(tmp_path))
    folder = instances.write(Instance(id="1" * 64, name="web", image='a"\\b\n', project="é"))

    assert instances.read("web") == Instance(id="1" * 64, name="web", image='a"\\b\n', project="é")
    assert not instances.remove("web", "2" * 64)
    assert folder.is_dir()
    renew(folder, "2" * 64)
    assert instances.remove("web", "2" * 64)
    assert not folder.exists()
    assert instances.names() == []


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "/etc", "-a", "a\n", "../web", "~"])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidSpecError):
        Instances(tmp_path).folder(name)


def test_folders_and_containers_are_held_against_each_other(tmp_path: Path) -> None:
    instances = Instances(projects.init(tmp_path, "shop"))
    instances.write(Instance(id="1", name="well"))
    instances.write(Instance(id="2", name="stale"))
    (tmp_path / ".pocketdock/instances/broken").mkdir()
    found = cross_check(
        tmp_path,
        [
            box("well", "1", persist="1", project="shop"),
            box("orphan", "3", persist="1", project="shop"),
            box("passing", "4", project="shop"),
            box("theirs", "5", persist="1", project="other"),
        ],
    )

    assert found.orphaned_containers == ("orphan",)
    assert found.stale_instance_dirs == ("broken", "stale")
    assert found.healthy == 1


def test_only_what_has_ended_is_swept_away() -> None:
    swept = {state for state in State if prunable(box("web", "1", state))}

    assert swept == {State.STOPPED, State.EXITED, State.FAILED}
    ended = box("web", "1", State.EXITED, project="shop")
    assert prunable(ended, "shop")
    assert not prunable(ended, "other")


def test_what_ran_is_kept_and_the_oldest_outputs_go(tmp_path: Path) -> None:
    book = Logbook(tmp_path / "logs", most=2)
    for number in range(4):
        said = (Text("stdout", f"out {number}\n"), Text("stderr", "err\n"))
        book.write(f"echo {number}", Result(outcome=Outcome.OK, outputs=said, exit_code=0))
    with (tmp_path / "logs/history.jsonl").open("ab") as history:
        history.write(b'{"cut')

    assert [line.command for line in book.lines()] == [f"echo {n}" for n in range(4)]
    pages = sorted((tmp_path / "logs").glob("run-*.log"))
    assert len(pages) == 2
    assert (
        pages[-1].read_text()
        == "# echo 3\n# exit code: 0\n--- stdout ---\nout 3\n\n--- stderr ---\nerr\n"
    )


def test_no_outputs_are_kept_where_none_are_wanted(tmp_path: Path) -> None:
    Logbook(tmp_path, most=0).write("true", Result(outcome=Outcome.OK, outputs=(), exit_code=0))

    assert [file.name for file in tmp_path.iterdir()] == ["history.jsonl"]


def test_a_project_says_what_of_its_runs_is_kept(tmp_path: Path) -> None:
    root = projects.init(tmp_path)
    folder = Instances(root).write(Instance(id="1", name="web"))
    file = root / projects.FOLDER / projects.FILE
    result = Result(outcome=Outcome.OK, outputs=(), exit_code=0)

    file.write_text("logging: {max_logs_per_instance: 1}")
    for _ in range(2):
        book = projects.logbook(folder)
        assert book is not None
        book.write("true", result)
    assert len(list((folder / "logs").glob("run-*.log"))) == 1

    file.write_text("logging: {auto_log: false}")
    assert projects.logbook(folder) is None
