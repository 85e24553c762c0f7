"""A home of its own for each benchmark: nothing of the user's is seen or touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDERS = {
    "HOME": "home",
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter",
    "JUPYTER_RUNTIME_DIR": "kernels",
    "SANDBOX_TUI_HOME": "app",
    "TMUX_TMPDIR": "tmux",
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_RUNTIME_DIR": "run",
    "XDG_STATE_HOME": "state",
}
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
STRANGERS = (
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",  # a peer without compiled files would start at a disadvantage
    "RUNTIMED_SOCKET_PATH",
    "SANDBOX_TUI_SOCKET",
    "TMUX",
    "TMUX_PANE",
)


@contextmanager
def home() -> Iterator[Path]:
    """Let this process and its children live in a new, short-named folder for a while."""
    folder = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))  # a socket's path is 107 bytes
    before, cwd = dict(os.environ), Path.cwd()
    for name in FOLDERS.values():
        (folder / name).mkdir(mode=0o700)
    for stranger in STRANGERS:
        os.environ.pop(stranger, None)
    os.environ.update({key: str(folder / name) for key, name in FOLDERS.items()}, **TERMINAL)
    os.chdir(folder / "home")
    try:
        yield folder
    finally:
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)
