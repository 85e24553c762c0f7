"""Take the screens of `docs/tour.md` and of the README from the real program.

    python docs/capture_tour.py

It needs tmux, a container engine with the image `sandbox-tui-test/busybox` (`make engines`), and
the environment that `make dev` makes. Everything is started here and ended here: sessions in a tmux
of its own, rooms in a home of their own, containers called `tour-…`. The engine is whichever
`DOCKER_HOST` names; one that runs nothing else gives the better picture.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PROGRAM = (sys.executable, "-m", "sandbox_tui")
IMAGE = "sandbox-tui-test/busybox"
PATIENCE = 40.0
"""Seconds until a screen must show what it is taken for."""


CONFIGURATION = """\
sandboxes:
  notes: {backend: room}
  nightly: {backend: tmux, command: make nightly}
"""

SESSIONS = {
    "agent": r"""i=0; while sleep 0.4; do i=$((i+1)); printf '\033[32mINFO\033[0m  step %d  """
    r"""edited src/api.py, tests pass\n' $i; [ $((i%5)) -gt 0 ] || printf """
    r"""'\033[33mWARN\033[0m  step %d  slow query: 812 ms\n' $i; done""",
    "docs": "exec cat",
    "tests": "echo '3 failed, 211 passed'; exit 1",
}
CONTAINERS = {
    "tour-api": """i=0; while sleep 0.3; do i=$((i+1)); echo "GET /items/$i 200 $((i%9+2)) ms"; """
    """[ $((i%7)) -gt 0 ] || echo "WARN cache miss for /items/$i"; done""",
    "tour-worker": """i=0; while sleep 0.1; do i=$((i+1)); n=0; while [ $n -lt 20000 ]; do """
    """n=$((n+1)); done; echo "job $i done"; done""",
    "tour-import": "echo 'no such table: orders'; exit 3",
}
ROOMS = {
    "analysis": (
        "rows = [n * n % 17 for n in range(60)]\nlen(rows)",
        "import collections\ncollections.Counter(rows).most_common(4)",
        "for n in range(3):\n    print('pass', n, sum(rows) / len(rows))",
    ),
    "scratch": ("1 / 0",),
}


ALL = ("agent", "tour-worker", "analysis")
"""On every first screen, so that no key comes too early."""


class Shot(NamedTuple):
    """One screen: what is pressed before it, what it must show, and what is said about it."""

    title: str
    words: str
    keys: tuple[str, ...]
    sees: tuple[str, ...]
    before: tuple[str, ...] = ()
    """What it must show before the keys."""
    first: Callable[[], object] = lambda: None
    """What happens on the machine before anything else."""
    settling: float = 2.5
    """Seconds for charts and sparklines to have something to draw, and for notices to go."""


class Seat:
    """A terminal of one size with the dashboard in it."""

    def __init__(self, folder: Path, width: int, height: int, *words: str) -> None:
        self._socket = folder / f"seat-{width}-{height}"
        size = ("-x", str(width), "-y", str(height))
        unset = (word for name in ("TMUX", "TMUX_PANE") for word in ("-u", name))
        terminal = ("env", *unset, "TERM=xterm-256color", "COLORTERM=truecolor")
        self._tmux("new-session", "-d", "-s", "seat", *size, *terminal, *PROGRAM, *words)

    def take(self, shot: Shot) -> str:
        """Press its keys, wait until it is there, and give the text of the screen."""
        shot.first()
        self._await(shot.before)
        for key in shot.keys:
            literal = ("-l",) if key.startswith("'") else ()
            self._tmux("send-keys", "-t", "=seat:", *literal, key.removeprefix("'"))
            time.sleep(0.4)
        self._await(shot.sees)
        time.sleep(shot.settling)
        return self.screen

    @property
    def screen(self) -> str:
        """The text that the terminal shows."""
        return self._tmux("capture-pane", "-p", "-t", "=seat:")

    def _await(self, texts: Sequence[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while missing := [text for text in texts if text not in self.screen]:
            if time.monotonic() > deadline:
                raise SystemExit(f"there is no {missing} in\n{self.screen}")
            time.sleep(0.1)

    def close(self) -> None:
        """End it."""
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        return run("tmux", "-S", str(self._socket), "-f", "/dev/null", *words)


def run(*words: str) -> str:
    """What a command prints."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def sandbox_tui(*words: str) -> str:
    """What the program prints."""
    return run(*PROGRAM, *words)


class Tmux:
    """The tmux server of the sessions, which can be made to hang."""

    pid = 0

    @classmethod
    def hang(cls) -> None:
        """Answer nobody, as a stuck server does."""
        cls.pid = int(run("tmux", "display-message", "-p", "#{pid}"))
        os.kill(cls.pid, signal.SIGSTOP)

    @classmethod
    def go_on(cls) -> None:
        """Answer again."""
        if cls.pid:
            os.kill(cls.pid, signal.SIGCONT)


@contextmanager
def home() -> Iterator[Path]:
    """A folder for all that is made here. Short, because sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="tour-", dir="/tmp") as name:
        folder = Path(name)
        for variable in ("HOME", "TMUX_TMPDIR", "SANDBOX_TUI_HOME", "IPYTHONDIR"):
            os.environ[variable] = str(folder / variable.lower())
        for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            os.environ[variable] = str(folder / variable.lower())
        os.environ["JUPYTER_RUNTIME_DIR"] = str(folder / "jupyter")
        os.environ["PYTHONPATH"] = str(ROOT)
        os.environ["TZ"] = "UTC"
        for variable in ("TMUX", "TMUX_PANE", "SANDBOX_TUI_SOCKET", "RUNTIMED_SOCKET_PATH"):
            os.environ.pop(variable, None)
        for place in ("home", "tmux_tmpdir", "xdg_runtime_dir", "work"):
            (folder / place).mkdir(mode=0o700)
        (folder / "work" / "sandbox-tui.yml").write_text(CONFIGURATION)
        os.chdir(folder / "work")
        yield folder
        os.chdir(ROOT)


@contextmanager
def machine() -> Iterator[None]:
    """Sessions, containers and rooms, all of them real."""
    with ExitStack() as ends:
        ends.callback(
            subprocess.run, ("tmux", "kill-server"), stderr=subprocess.DEVNULL, check=False
        )
        ends.callback(Tmux.go_on)
        for name, command in SESSIONS.items():
            sandbox_tui("start", name, "--backend", "tmux", "--command", command)
        for name, command in CONTAINERS.items():
            sandbox_tui("start", name, "--image", IMAGE, "--command", command)
            ends.callback(sandbox_tui, "rm", f"container:{name}", "--force", "--yes")
        ends.callback(sandbox_tui, "daemon", "stop")
        for name, sources in ROOMS.items():
            sandbox_tui("room", "new", name)
            for source in sources:
                sandbox_tui("room", "add", name, source)
        sandbox_tui("room", "run-all", "analysis")
        yield


NARROW = (
    Shot(
        "A narrow terminal",
        "Under 100 columns there is the list or the view.",
        ("2",),
        ALL,
        ALL,
    ),
    Shot("", "`enter` opens the selected one, `escape` goes back.", ("Enter",), ("INFO",)),
)
NORMAL = (
    Shot(
        "List and live pane",
        "What needs you stands first. The pane of the selected session is live; looking at it "
        "changes nothing there.",
        ("2",),
        ("INFO",),
        ALL,
    ),
    Shot(
        "Logs",
        "`l` shows the log of a container, and `/` in the view searches it.",
        ("3", "l", "Enter", "/", "'WARN", "Enter"),
        ("WARN cache",),
    ),
    Shot(
        "Stats",
        "`v`: processor, memory and network of the last minutes.",
        ("Escape", "Escape", "j", "j", "v"),
        ("cpu",),
        settling=20,
    ),
    Shot("Inspect", "`i`: everything known about it.", ("i",), ("Created",)),
    Shot(
        "A room",
        "Cells with what their latest runs said.",
        ("4", ":", "'live", "Enter"),
        ("most_common",),
    ),
    Shot(
        "Typing into a session",
        "`s` sends a line to tmux, runs a command in a container or code in a room.",
        ("2", "s", "'make test"),
        ("make test",),
    ),
    Shot(
        "Palette",
        "`:` finds everything that can be done now.",
        ("Escape", ":", "'stop"),
        ("stop",),
    ),
    Shot(
        "Confirmation",
        "What is lost is asked about, by name.",
        ("Escape", "3", "S"),
        ("container:tour-",),
    ),
    Shot("Keys", "`?` lists every key, to search and to run.", ("Escape", "?"), ("keys",)),
    Shot(
        "A backend that is lost",
        "The tmux server hangs. Its sessions stay, dimmed and with a `?`; everything else goes on. "
        "When it answers again, so does the section.",
        ("Escape", "2"),
        ("tmux ✕",),
        first=Tmux.hang,
    ),
)
WIDE = (
    Shot(
        "A wide terminal",
        "From 170 columns on there is a wall of live tiles; `P` pins one.",
        ("3", "P", "4", "P"),
        ("⊙",),
        ALL,
        first=Tmux.go_on,
        settling=8,
    ),
)
DEMO = (
    Shot(
        "The demo",
        "`sandbox-tui demo` needs no tmux, no engine and no kernel.",
        ("3",),
        ("agent-web-2", "OOM"),
        ("postgres",),
    ),
)
COVER = (Shot("", "", ("3",), ("GET",), ALL),)


def screens(folder: Path, size: tuple[int, int], shots: Sequence[Shot], *words: str) -> list[str]:
    """One dashboard of that size, and its screens one after the other."""
    seat = Seat(folder, *size, *words)
    try:
        return [seat.take(shot) for shot in shots]
    finally:
        seat.close()


def pages(folder: Path) -> Iterator[str]:
    """The parts of the tour."""
    for size, shots, words in (
        ((120, 40), NORMAL, ()),
        ((200, 60), WIDE, ()),
        ((80, 24), NARROW, ()),
        ((120, 30), DEMO, ("demo",)),
    ):
        for shot, screen in zip(shots, screens(folder, size, shots, *words), strict=True):
            title = f"## {shot.title}, {size[0]}×{size[1]}\n\n" if shot.title else ""
            yield f"{title}{shot.words}\n\n{fenced(screen)}\n"


def fenced(screen: str) -> str:
    """A screen as a block of text."""
    lines = "\n".join(line.rstrip() for line in screen.rstrip().split("\n"))
    return f"```text\n{lines}\n```"


def put_into_readme(screen: str) -> None:
    """Replace the screen under its marker."""
    readme = ROOT / "README.md"
    head, marker, rest = readme.read_text().partition(MARKER)
    tail = rest.partition("\n```\n")[2]
    readme.write_text(f"{head}{marker}{fenced(screen)}\n{tail}")


MARKER = "<!-- screen: docs/capture_tour.py writes it -->\n"

INTRODUCTION = """# A tour

Screens of the real program over a real tmux, a real engine and real kernels, taken by
[capture_tour.py](capture_tour.py). Colours are lost here. The keys are in [Keys](keys.md).
"""


def main() -> None:
    """Start everything, take the screens, end everything."""
    with home() as folder, machine():
        [cover] = screens(folder, (110, 30), COVER)
        parts = list(pages(folder))
    put_into_readme(cover)
    (DOCS / "tour.md").write_text("\n".join((INTRODUCTION, *parts)))


if __name__ == "__main__":
    main()
