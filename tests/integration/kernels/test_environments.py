"""Where a kernel's packages come from: real environments, made by uv."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.environments import Environments
from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.kernel import Kernel
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.hub.rooms import RoomsBackend
from sandbox_tui.model.errors import InvalidSpecError, StartFailedError, ToolMissingError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.runtime.execution import Execution
from tests.integration.kernels.listener import Ears
from tests.system import names_in

LAB = Ref("room:lab")
NOWHERE = "http://127.0.0.1:9"
WHERE = "import sys, iniconfig; print(sys.prefix); print(iniconfig.__file__)"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What uv has fetched once."""
    return tmp_path_factory.mktemp("uv")


@pytest.fixture(autouse=True)
def _own_uv(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(cache))


@pytest.fixture
def offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and nothing fetched before."""
    monkeypatch.setenv("UV_CACHE_DIR", str(home / "nothing"))
    monkeypatch.setenv("UV_INDEX_URL", NOWHERE)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


async def said(kernel: Kernel, code: str) -> list[str]:
    async with asyncio.timeout(30):
        result = await kernel.run(Execution(LAB, code))
    assert result.ok, result.error
    return result.stdout.splitlines()


def of(source: str, folder: Path | None = None, *packages: str) -> KernelRequest:
    working_dir = str(folder) if folder else None
    return KernelRequest(owner=LAB, env_source=source, working_dir=working_dir, packages=packages)


async def test_each_kernel_has_an_environment_of_its_own(host: KernelHost, ears: Ears) -> None:
    first = await host.start(of("uv:prewarmed"), ears)
    second = await host.start(of("uv:prewarmed"), ears)
    [prefix] = await said(first, "import sys; print(sys.prefix)")
    assert [prefix] != await said(second, "import sys; print(sys.prefix)")
    assert "pyvenv.cfg" in names_in(Path(prefix))
    with pytest.raises(AssertionError, match="ModuleNotFoundError"):
        await said(first, "import iniconfig")
    await said(first, "import ipykernel")
    await host.end(first)
    assert Path(prefix).name not in names_in(Path(prefix).parent)
    await host.end(second)


async def test_the_notebook_names_packages(host: KernelHost, ears: Ears) -> None:
    kernel = await host.start(of("uv:inline", None, "iniconfig"), ears)
    prefix, module = await said(kernel, WHERE)
    assert module.startswith(prefix)
    await host.end(kernel)


async def test_the_nearest_project_names_packages(host: KernelHost, ears: Ears, home: Path) -> None:
    below = home / "project" / "below"
    below.mkdir(parents=True)
    project = '[project]\nname = "p"\nversion = "1"\ndependencies = ["iniconfig"]\n'
    (home / "project" / "pyproject.toml").write_text(project)
    kernel = await host.start(of("uv:pyproject", below), ears)
    prefix, module = await said(kernel, WHERE)
    assert module.startswith(prefix)
    await host.end(kernel)


async def test_a_virtual_environment_by_its_path(host: KernelHost, ears: Ears, state: Path) -> None:
    await asyncio.to_thread(Environments(state).resolve, "uv:prewarmed", (), None, LAB)
    [template] = [str(state / name) for name in names_in(state) if name.startswith("template-")]
    kernel = await host.start(of(template), ears)
    assert await said(kernel, "import sys; print(sys.prefix)") == [template]
    await host.end(kernel)


async def test_what_cannot_be_had_is_said(host: KernelHost, ears: Ears, home: Path) -> None:
    with pytest.raises(InvalidSpecError, match="no virtual environment is there"):
        await host.start(of(str(home / "nothing")), ears)
    with pytest.raises(InvalidSpecError, match=r"no pyproject\.toml in"):
        await host.start(of("uv:pyproject", home), ears)
    with pytest.raises(InvalidSpecError, match="'-r' is no package"):
        await host.start(of("uv:inline", None, "-r"), ears)
    with pytest.raises(StartFailedError, match="sandbox-tui-has-no-such-package"):
        await host.start(of("uv:inline", None, "sandbox-tui-has-no-such-package"), ears)
    bare = home / "bare"
    command = [sys.executable, "-m", "venv", "--without-pip", str(bare)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    with pytest.raises(ToolMissingError, match="ipykernel in"):
        await host.start(of(str(bare)), ears)


@pytest.mark.usefixtures("offline")
async def test_without_a_network_it_shares_packages_and_says_so(rooms: RoomsBackend) -> None:
    ref = await rooms.start(RoomSpec(name="lab", env_source="uv:prewarmed"))
    result = await (await rooms.execute(ref, WHERE))
    prefix, module = result.stdout.splitlines()
    assert prefix != sys.prefix
    assert Path(module).is_relative_to(sys.prefix)
    [box] = await rooms.poll()
    assert "shares the packages of sandbox-tui" in box.detail
    assert NOWHERE in box.detail


@pytest.mark.usefixtures("offline")
async def test_without_a_network_packages_cannot_be_had(host: KernelHost, ears: Ears) -> None:
    with pytest.raises(StartFailedError, match="error sending request"):
        await host.start(of("uv:inline", None, "iniconfig"), ears)
