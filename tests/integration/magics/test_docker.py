"""Cells and `!` in containers, in a real kernel on a real engine."""

from __future__ import annotations

import json
import subprocess

from tests.integration.magics.conftest import IMAGE, PYTHON, Notebook
from tests.support import require_program, retry_until


def containers(*filters: str) -> list[str]:
    docker = require_program("docker")
    command = [docker, "ps", "-aq", *(word for each in filters for word in ("--filter", each))]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_a_whole_cell_runs_in_one_container(notebook: Notebook) -> None:
    said = notebook.run(f"%%docker {IMAGE}\ncd /tmp\nX=1\necho $X in $(pwd)\necho bad >&2")
    assert (said.stdout, said.red, said.error) == ("1 in /tmp\n", "bad\n", "")
    assert said.stderr == "\x1b[31mbad\x1b[0m\n"
    assert notebook.value("_exit_code") == "0"


def test_output_comes_while_the_command_runs(notebook: Notebook) -> None:
    request = notebook.begin(f"%%docker --name st-magic-stream {IMAGE}\necho first; sleep 60")
    notebook.until(request, "first\n")
    assert containers("name=^/st-magic-stream$")
    notebook.manager.interrupt_kernel()
    assert "KeyboardInterrupt" in notebook.end(request).error
    retry_until(lambda: not containers("name=^/st-magic-stream$"))


def test_the_exit_code_is_there_and_can_be_an_error(notebook: Notebook) -> None:
    said = notebook.run(f"%%docker {IMAGE}\nexit 3")
    assert (said.red, said.error) == ("[exit code 3]\n", "")
    assert notebook.value("_exit_code") == "3"
    said = notebook.run(f"%%docker --check {IMAGE}\necho out; exit 4")
    assert said.stdout == "out\n"
    assert said.error == "CommandFailedError: the command ended with exit code 4"


def test_bash_where_there_is_one_and_sh_elsewhere(notebook: Notebook) -> None:
    code = '[ -n "$BASH_VERSION" ] && echo bash || echo other'
    assert notebook.run(f"%%docker {PYTHON}\n{code}").stdout == "bash\n"
    assert notebook.run(f"%%docker {IMAGE}\n{code}").stdout == "other\n"


def test_a_bang_runs_in_a_fresh_container_each_time(notebook: Notebook) -> None:
    notebook.run("name = 'value'")
    assert IMAGE in notebook.run(f"%docker -e SAID=yes {IMAGE}").stdout
    assert notebook.run("!touch /tmp/x; hostname; echo $SAID").stdout.endswith("yes\n")
    assert notebook.run("!ls /tmp/x; echo {name}").stdout == "value\n"
    assert notebook.value("_exit_code") == "0"
    assert notebook.run("!exit 5").error == ""
    assert notebook.value("_exit_code") == "5"
    notebook.run("lines = !echo a; echo b")
    assert notebook.value("list(lines)") == "['a', 'b']"


def test_the_shell_is_put_back_exactly(notebook: Notebook) -> None:
    notebook.run("ip = get_ipython(); before = dict(vars(ip)), ip.system, ip.getoutput")
    same = "all(vars(ip).get(name) is before[0].get(name) for name in ('system', 'getoutput'))"
    assert notebook.value(same) == "True"
    notebook.run(f"%docker {IMAGE}\n%docker {IMAGE}\n%docker_on\n%docker_on")
    assert notebook.value(same) == "False"
    notebook.run("%docker_off\n%docker_off")
    assert notebook.value(f"{same} and (ip.system, ip.getoutput) == before[1:]") == "True"
    notebook.run("%docker_on\n%unload_ext sandbox_tui")
    assert notebook.value(same) == "True"
    assert notebook.run("import os\n!echo $PPID").stdout.strip() == notebook.value("os.getpid()")


def test_a_function_that_was_already_put_in_place_comes_back(notebook: Notebook) -> None:
    notebook.run("def mine(cmd): print('mine', cmd)\nip = get_ipython(); ip.system = mine")
    notebook.run(f"%docker {IMAGE}")
    assert notebook.run("!echo there").stdout == "there\n"
    notebook.run("%docker_off")
    assert notebook.run("!echo there").stdout == "mine echo there\n"


def test_what_opens_the_machine_is_refused(notebook: Notebook) -> None:
    for arguments in (
        "--privileged",
        "--network=host",
        "-v /:/host",
        "-v /var/run/docker.sock:/s",
    ):
        said = notebook.run(f"%%docker {arguments} {IMAGE}\ntouch /host/tmp/x")
        assert "is refused" in said.stderr
        assert "policy.allow" in said.stderr
        assert "is refused" in notebook.run(f"%docker {arguments} {IMAGE}").stderr


def test_what_the_users_own_configuration_allows_is_given(notebook: Notebook, home) -> None:
    folder = home / "config/sandbox-tui"
    folder.mkdir(parents=True)
    (folder / "config.yml").write_text("policy: {allow: [cap-add]}\n")
    notebook.run("%reload_ext sandbox_tui")
    look = "grep CapEff /proc/self/status"
    plain = notebook.run(f"%%docker {IMAGE}\n{look}").stdout
    more = notebook.run(f"%%docker --cap-add SYS_PTRACE {IMAGE}\n{look}").stdout
    assert "CapEff" in plain
    assert "CapEff" in more
    assert plain != more


def test_profiles_of_both_files(notebook: Notebook, home) -> None:
    (home / "notebook/dockyter.toml").write_text(
        f'[docker]\ndefault_args = "-e A=0 {IMAGE}"\n[profiles]\nlocal = "-e A=1 {IMAGE}"\n'
    )
    (home / "notebook/sandbox-tui.yml").write_text(
        f"profiles: {{ours: {{image: {IMAGE}, env: {{A: 2}}}}}}\n"
    )
    notebook.run("%reload_ext sandbox_tui")
    assert notebook.run("%%docker\necho $A").stdout == "0\n"
    notebook.run("%docker_profile local")
    assert notebook.run("!echo $A").stdout == "1\n"
    notebook.run("%docker_profile ours")
    assert notebook.run("!echo $A").stdout == "2\n"
    assert "there is no profile 'x', but local" in notebook.run("%docker_profile x").stderr
    notebook.client.complete("%docker_profile lo")
    reply = notebook.client.get_shell_msg(timeout=10)
    assert "local" in json.dumps(reply["content"]["matches"])
    status = notebook.run("%docker_status").stdout
    assert "dockyter.toml" in status
    assert "Backend:       docker" in status
    assert "! redirection: on" in status


def test_a_broken_file_is_an_error_with_its_line(notebook: Notebook, home) -> None:
    (home / "notebook/dockyter.toml").write_text("[backend]\nmode = 'maybe'\n")
    said = notebook.run("%reload_ext sandbox_tui")
    assert "dockyter.toml:2: backend.mode must be docker or api" in said.stderr


def test_a_dead_engine_says_what_users_know(notebook: Notebook) -> None:
    notebook.run("import os\nos.environ['DOCKER_HOST'] = 'unix:///tmp/nobody.sock'")
    said = notebook.run(f"%%docker {IMAGE}\ntrue")
    assert "Docker daemon is not running. Please start the Docker service." in said.stderr
    notebook.run("os.environ['PATH'] = '/nowhere'")
    said = notebook.run("%docker_status")
    assert "Docker is not installed or not available in the system PATH." in said.stdout


MISTAKES = {
    "%docker_on": "no container is set",
    "%docker_backend": "it is %docker_backend docker, or",
    "%docker_backend api nonsense": "is not http://HOST",
    "%docker --no-such x": "--no-such: it is unknown",
    "%docker -it": "IMAGE: it is missing",
    "%docker 'x": "No closing quotation",
    f"%docker {IMAGE} bash": "it comes after the image",
    "%%docker\necho": "needs an image",
    "%%docker 127.0.0.1:1/absent\necho": "cannot fetch 127.0.0.1:1/absent",
    "%%room\n1": "it is %%room [--check] NAME",
    "%%room nowhere\n1": "no sandbox named 'nowhere'",
}


def test_mistakes_are_told_in_one_line(notebook: Notebook) -> None:
    for line, message in MISTAKES.items():
        said = notebook.run(line)
        assert message in said.stderr
        assert "Traceback" not in said.stderr
