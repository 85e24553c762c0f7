"""Notebook files of the user, which are opened and saved."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec

from sandbox_tui.documents.files import replace
from sandbox_tui.documents.ipynb import BrokenNotebookError, StoredNotebook, decode, encode
from sandbox_tui.model.errors import InvalidSpecError


def read(path: str) -> StoredNotebook:
    """What the file holds. Raises `InvalidSpecError` with the line of what is wrong."""
    try:
        return decode(Path(path).read_bytes())
    except OSError as error:
        raise InvalidSpecError("notebook", f"{path}: {error.strerror or error}") from error
    except BrokenNotebookError as error:
        raise InvalidSpecError("notebook", f"{path}: {error}") from error


def write(path: str, notebook: StoredNotebook, kernel: str) -> None:
    """Replace the file, or what it is a link to, and keep who may read it. Raises `OSError`."""
    target = Path(path).resolve()
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666
    metadata = {**described(kernel), **notebook.metadata}
    replace(target, encode(msgspec.structs.replace(notebook, metadata=metadata)), mode)


def described(kernel: str) -> dict[str, object]:
    """What a notebook's metadata says of the kernel that runs it."""
    language = "python" if kernel.startswith("python") else kernel
    return {
        "kernelspec": {"name": kernel, "display_name": kernel},
        "language_info": {"name": language},
    }
