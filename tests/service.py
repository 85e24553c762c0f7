"""An engine of a test's own, which may be ended and frozen."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from tests.support import ping, retry_until


class Service:
    """Podman's service on a socket of this test's own."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "engine.sock"
        self._log = (folder / "engine.log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        command = ["podman", "system", "service", "--time=0", self.url]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        retry_until(self._answers, timeout=30)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
        self.socket.unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def close(self) -> None:
        self.stop()
        self._log.close()

    def _answers(self) -> bool:
        try:
            ping(self.socket)
        except OSError:
            return False
        return True
