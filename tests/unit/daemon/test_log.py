"""The daemon's log: one bounded file for everything that is said."""

import logging
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging, os, sys
from pathlib import Path
from sandbox_tui.server import daemon_log
daemon_log.LONGEST = 2000
daemon_log.begin(Path(sys.argv[1]), foreground=len(sys.argv) > 2)
for number in range(100):
    logging.getLogger("a").info("line %d", number)
print("printed", flush=True)
os.write(2, b"a crash\\n")
"""


def run(log: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(log), *more],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )


def test_it_is_bounded_and_takes_what_others_write(home: Path) -> None:
    (home / "new").mkdir()
    log = home / "new" / "daemon.log"
    said = run(log)

    assert (said.stdout, said.stderr) == ("", "")
    assert log.read_text().endswith("printed\na crash\n")
    assert sorted(path.name for path in log.parent.iterdir()) == [
        "daemon.log",
        "daemon.log.1",
        "daemon.log.2",
    ]
    assert all(path.stat().st_size < 3000 for path in log.parent.iterdir())


def test_in_the_foreground_the_terminal_hears_it_too(home: Path) -> None:
    log = home / "daemon.log"
    said = run(log, "--foreground")

    assert "line 99" in said.stderr
    assert "line 99" in log.read_text()
    assert said.stderr.endswith("a crash\n")


def test_importing_it_logs_nowhere() -> None:
    assert not any("daemon" in str(handler) for handler in logging.getLogger().handlers)
