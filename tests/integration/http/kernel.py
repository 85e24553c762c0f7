"""A kernel as a program has it that knows JupyCell."""

from __future__ import annotations

from typing import Any

import httpx


class Kernel:
    """A kernel of the server, as a program has it."""

    def __init__(self, http: httpx.Client, number: int | None = None) -> None:
        self.http = http
        self.id: int = number or self.ok(http.post("/start"))["kernel_id"]

    @property
    def room(self) -> str:
        """Its name everywhere else."""
        return f"http-{self.id}"

    def do(
        self, action: str, number: int | None = None, code: str | None = None, **more: Any
    ) -> Any:
        """Ask for something to be done to a cell."""
        asked = {
            "kernel_id": self.id,
            "cell_number": number,
            "code": code,
            "action": action,
            **more,
        }
        body = {key: value for key, value in asked.items() if value is not None}
        return self.ok(self.http.post("/cell", json=body))

    def run(self, code: str, number: int = 1, **more: Any) -> Any:
        """Put code in a cell and run it."""
        if "error" in self.do("edit", number, code):
            self.do("add", number, code)
        return self.do("run", number, **more)

    def outputs(self, number: int) -> Any:
        """What the cell has said, asked for later."""
        wanted = {"kernel_id": self.id, "cell_number": number}
        return self.ok(self.http.get("/cell_outputs", params=wanted))

    @staticmethod
    def ok(response: httpx.Response) -> Any:
        assert response.status_code == 200, response.text
        return response.json()


def text(answer: Any) -> str:
    """The joined text of a run."""
    return "".join(item.get("text", "") for item in answer["outputs"])
