"""What a container backend does with files and images; the rest of it is in `backend`.

What does the work is imported by the thread that does it: a listing needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.files.hauling import Haul, Hauls
from sandbox_tui.backends.containers.listing import find
from sandbox_tui.model.errors import DeadlineError
from sandbox_tui.model.files import FileEntry
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.pool import Pool
from sandbox_tui.runtime.transfer import Transfer

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

AT_ONCE = 8
"""How many files of one engine are read or written at a time."""

FILE_SECONDS = 60.0
"""How long one file or one folder may take."""

SNAPSHOT_SECONDS = 600.0
"""How long a snapshot may take: all that has changed is written once more."""

REGISTRY_QUIET = 12
"""How long a registry may say nothing, in multiples of the patience with an engine."""

T = TypeVar("T")


class Storage:
    """Files, Copies, Commits, Images, Builds and ImageFiles, over one link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._hauls = Hauls(link)
        self._files = Pool(f"{link.place} files", AT_ONCE)

    async def read(self, ref: Ref, path: str) -> bytes:
        """See `Files.read`; at most 64 MB."""

        def work(engine: Engine, box: Box) -> bytes:
            from sandbox_tui.backends.containers.files import files

            return files.read(engine, box, path)

        return await self._file(ref, work)

    async def write(self, ref: Ref, path: str, content: bytes) -> None:
        """See `Files.write`."""

        def work(engine: Engine, box: Box) -> None:
            from sandbox_tui.backends.containers.files import files

            files.write(engine, box, path, content)

        await self._file(ref, work)

    async def list(self, ref: Ref, path: str = "") -> tuple[FileEntry, ...]:
        """See `Files.list`. A relative path starts where the container's commands start."""

        def work(engine: Engine, box: Box) -> tuple[FileEntry, ...]:
            from sandbox_tui.backends.containers.files import files

            return files.entries_of(engine, box, path)

        return await self._file(ref, work)

    async def push(self, ref: Ref, source: Path, target: str) -> Transfer:
        """See `Copies.push`."""

        def work(engine: Engine, haul: Haul) -> str:
            from sandbox_tui.backends.containers.files import copies

            return copies.push(engine, find(engine, ref), source, target, haul)

        return self._hauls.begin(f"push {source} to {ref}", work)

    async def pull(self, ref: Ref, source: str, target: Path) -> Transfer:
        """See `Copies.pull`."""

        def work(engine: Engine, haul: Haul) -> str:
            from sandbox_tui.backends.containers.files import copies

            return copies.pull(engine, find(engine, ref), source, target, haul)

        return self._hauls.begin(f"pull {source} from {ref}", work)

    async def snapshot(self, ref: Ref, image: str) -> str:
        """See `Commits.snapshot`. Raises `InvalidSpecError` for what is no name of an image."""

        def work(engine: Engine) -> str:
            from sandbox_tui.backends.containers.images import snapshot

            return snapshot.snapshot(engine, find(engine, ref), image, SNAPSHOT_SECONDS)

        return await self._link.order(f"snapshot {ref}", SNAPSHOT_SECONDS, work)

    async def pull_image(self, image: str) -> Transfer:
        """See `Images.pull_image`."""

        def work(engine: Engine, haul: Haul) -> str:
            from sandbox_tui.backends.containers.images import pulling

            return pulling.pull(engine, image, haul)

        return self._hauls.begin(f"pull {image}", work, REGISTRY_QUIET * self._link.patience)

    async def has_image(self, image: str) -> bool:
        """See `Images.has_image`. Raises `InvalidSpecError` for what is no name of an image."""

        def work(engine: Engine) -> bool:
            from sandbox_tui.backends.containers.images.images import id_of

            return id_of(engine, image) is not None

        return await self._link.ask(work)

    async def build_image(
        self, folder: Path, image: str, *, dockerfile: str = "Dockerfile"
    ) -> Transfer:
        """See `Builds.build_image`."""

        def work(engine: Engine, haul: Haul) -> str:
            from sandbox_tui.backends.containers.images import building

            return building.build(engine, folder, image, dockerfile, haul)

        return self._hauls.begin(f"build {image}", work)

    async def export_images(self, images: Sequence[str], target: Path) -> Transfer:
        """See `ImageFiles.export_images`."""

        def work(engine: Engine, haul: Haul) -> str:
            from sandbox_tui.backends.containers.images.images import export

            return export(engine, images, target, haul)

        return self._hauls.begin(f"export {', '.join(images)}", work)

    async def import_images(self, source: Path) -> Transfer:
        """See `ImageFiles.import_images`."""

        def work(engine: Engine, haul: Haul) -> str:
            from sandbox_tui.backends.containers.images.images import import_from

            return import_from(engine, source, haul)

        return self._hauls.begin(f"import {source}", work)

    async def close_storage(self) -> None:
        """End what is under way."""
        await self._hauls.aclose()
        self._files.close()

    async def _file(self, ref: Ref, work: Callable[[Engine, Box], T]) -> T:
        try:
            return await self._files.run(
                FILE_SECONDS, self._link.call, lambda engine: work(engine, find(engine, ref))
            )
        except DeadlineError as error:
            raise DeadlineError(f"files of {ref}", FILE_SECONDS) from error
