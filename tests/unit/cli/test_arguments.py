"""What a shell offers for a name."""

from __future__ import annotations

import os
import subprocess
import sys

from sandbox_tui.cli.arguments import names
from sandbox_tui.model.refs import Ref


def test_a_bare_name_is_offered_where_only_one_has_it() -> None:
    refs = [Ref("tmux:dev"), Ref("container:dev"), Ref("room:lab")]
    assert names(refs) == ["lab", "tmux:dev", "container:dev", "room:lab"]


def offers(words: str) -> list[str]:
    env = {
        **os.environ,
        "_SANDBOX_TUI_COMPLETE": "bash_complete",
        "COMP_WORDS": f"sandbox-tui {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    code = "import sys; from sandbox_tui.cli.main import main; sys.exit(main([]))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_a_shell_completes_commands_and_names() -> None:
    assert offers("st") == ["status", "start", "stop"]
    assert offers("--demo stop container:agent") == [
        "container:agent-api-1",
        "container:agent-web-2",
    ]
    assert offers("--demo stop postg") == ["postgres"]
    assert offers("--demo stop --backend room a") == ["analysis"]
