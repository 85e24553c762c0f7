"""Names of images, what stays out of a build, who is logged in, and what an engine says."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.images.building import Steps
from sandbox_tui.backends.containers.images.ignoring import Ignored
from sandbox_tui.backends.containers.images.image_names import registry_of, split, split_own
from sandbox_tui.backends.containers.images.progress_lines import Detail, Said
from sandbox_tui.backends.containers.images.pulling import Layers
from sandbox_tui.backends.containers.images.registry_login import authentication
from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.runtime.transfer import Progress

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "parts", "registry"),
    [
        ("busybox", ("busybox", "latest"), "docker.io"),
        ("library/python:3.12", ("library/python", "3.12"), "docker.io"),
        ("ghcr.io/a/b-c:v1", ("ghcr.io/a/b-c", "v1"), "ghcr.io"),
        ("localhost:5000/x", ("localhost:5000/x", "latest"), "localhost:5000"),
        (f"x/y@{DIGEST}", ("x/y", DIGEST), "docker.io"),
    ],
)
def test_names(image: str, parts: tuple[str, str], registry: str) -> None:
    assert split(image) == parts
    assert registry_of(image) == registry


@pytest.mark.parametrize("image", ["", "A", "a b", "a:", "a:b:c", "-a", "a//b", "$(x)", "a\nb"])
def test_what_is_no_name(image: str) -> None:
    with pytest.raises(InvalidSpecError):
        split(image)


def test_a_new_image_has_no_digest() -> None:
    with pytest.raises(InvalidSpecError):
        split_own(f"x@{DIGEST}")


@pytest.mark.parametrize(
    ("rules", "kept_out", "sent"),
    [
        ("*.log", ["a.log"], ["deep/a.log", "a.txt"]),
        ("**/*.log", ["a.log", "deep/er/a.log"], ["a.logs"]),
        ("build", ["build", "build/x/y"], ["builds", "x/build"]),
        ("/build/", ["build/x"], ["x/build"]),
        ("*\n!keep", ["a", "b/keep"], ["keep", "keep/x"]),
        ("a?c\n[x-z]1", ["abc", "y1"], ["ac", "w1", "a/c"]),
        ("# no rule\n\n  padded  ", ["padded"], ["# no rule"]),
        ("a/**/z", ["a/z", "a/b/c/z"], ["z", "b/z"]),
        ("a.b", ["a.b"], ["aXb"]),
    ],
)
def test_what_stays_out_of_a_build(rules: str, kept_out: list[str], sent: list[str]) -> None:
    ignored = Ignored(rules.split("\n"), ("Dockerfile",))
    assert [path for path in kept_out if not ignored.has(path)] == []
    assert [path for path in (*sent, "Dockerfile") if ignored.has(path)] == []


def test_a_failed_build_tells_its_last_step() -> None:
    steps = Steps()
    for text in ("Step 1/2 : FROM x\n", "well\n", "Step 2/2 : RUN y\n", "it bre", "aks\n"):
        newest = steps.take(Said(stream=text))

    assert newest == "it breaks"
    assert steps.told("code 7").split("\n") == ["code 7", "Step 2/2 : RUN y", "it breaks"]


def test_layers_are_counted_together() -> None:
    layers = Layers()
    assert layers.total is None
    layers.take(Said(status="Downloading", id="a", progress_detail=Detail(5, 10)))
    layers.take(Said(status="Downloading", id="b", progress_detail=Detail(1, 90)))
    assert (layers.done, layers.total) == (6, 100)
    layers.take(Said(status="Download complete", id="a"))
    layers.take(Said(status="Extracting", id="a", progress_detail=Detail(3, 7)))
    assert (layers.done, layers.total) == (11, 100)


def test_who_is_logged_in(home: Path) -> None:
    assert authentication("r.example") == {}
    folder = home / "home" / ".docker"
    folder.mkdir()
    auth = base64.b64encode(b"me:with:colon").decode()
    hub = "https://index.docker.io/v1/"
    config = {"auths": {"r.example": {"auth": auth}, hub: {"auth": auth}, "empty": {}}}
    (folder / "config.json").write_text(json.dumps(config))

    for registry, name in (("r.example", "r.example"), ("docker.io", hub)):
        header = authentication(registry)["X-Registry-Auth"]
        assert json.loads(base64.urlsafe_b64decode(header)) == {
            "username": "me",
            "password": "with:colon",
            "serveraddress": name,
        }
    assert authentication("empty") == {}
    assert authentication("other.example") == {}


def test_a_keychain_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "home" / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"credHelpers": {"r.example": "test"}}))
    helper = home / "docker-credential-test"
    said = '{"ServerURL":"r.example","Username":"me","Secret":"s"}'
    helper.write_text(f"#!/bin/sh\nread name; [ $name = r.example ] && echo '{said}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(home), prepend=":")

    header = authentication("r.example")["X-Registry-Auth"]

    assert json.loads(base64.urlsafe_b64decode(header))["password"] == "s"
    monkeypatch.setenv("PATH", "")
    assert authentication("r.example") == {}


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress(0), ""),
        (Progress(999), "999 B"),
        (Progress(1500, 3000, " to /x "), "50%  1.5 kB of 3.0 kB  to /x"),
        (Progress(5 * 10**9, None, "Pulling"), "5.0 GB  Pulling"),
        (Progress(12, 10), "100%  12 B of 10 B"),
    ],
)
def test_progress_in_words(progress: Progress, said: str) -> None:
    assert str(progress) == said
