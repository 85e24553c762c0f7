"""What a profile says is under what a spec says."""

from __future__ import annotations

import re

import pytest

from sandbox_tui.hub.profiles import BUNDLED, Profile, Profiles
from sandbox_tui.model.errors import ProfileNotFoundError
from sandbox_tui.model.limits import check
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.settings import schema

STEPS = {"FROM", "RUN", "USER", "WORKDIR", "CMD", "ENV", "ENTRYPOINT"}


def spec(profile: str, **said: object) -> ContainerSpec:
    return ContainerSpec(name="web", profile=profile, **said)  # type: ignore[arg-type]


def test_the_six_have_their_network_defaults() -> None:
    assert {profile.name: profile.networked for profile in BUNDLED} == {
        "minimal-python": False,
        "minimal-node": False,
        "minimal-bun": False,
        "dev": True,
        "agent": False,
        "embedded": True,
    }
    filled = Profiles().fill(spec("agent"))
    assert (filled.image, filled.network) == ("pocketdock/agent", "none")
    assert Profiles().fill(spec("dev")).network == ""


def test_what_a_spec_says_comes_first() -> None:
    said = spec("agent", image="mine", network="bridge", env={"A": "1"})

    assert Profiles().fill(said) == said
    assert Profiles().fill(spec("agent", ports=("8080:80",))).network == ""
    assert Profiles().fill(ContainerSpec(name="web", image="x")) == ContainerSpec(
        name="web", image="x"
    )


def test_the_configuration_is_laid_over_the_bundled_ones() -> None:
    known = Profiles(
        {
            "agent": schema.Profile(env={"A": "1", "B": "1"}),
            "ml": schema.Profile(image="pytorch", volumes=("/data:/data",)),
        }
    )

    filled = known.fill(spec("agent", env={"B": "2"}))
    assert filled.env == {"A": "1", "B": "2"}
    assert (filled.image, filled.network) == ("pocketdock/agent", "none")
    assert known.fill(spec("ml")).volumes == ("/data:/data",)
    assert known.get("ml").folder is None
    with pytest.raises(ProfileNotFoundError, match="mll") as raised:
        known.get("mll")
    assert raised.value.hint == "Did you mean ml?"


@pytest.mark.parametrize("profile", BUNDLED, ids=lambda profile: profile.name)
def test_a_dockerfile_is_one_and_leaves_root(profile: Profile) -> None:
    assert profile.folder is not None
    text = (profile.folder / "Dockerfile").read_text(encoding="utf-8")
    logical = re.sub(r"\\\n", " ", text)
    steps = [line.split() for line in logical.splitlines() if line and not line.startswith("#")]

    assert steps[0][0] == "FROM"
    assert {step[0] for step in steps} <= STEPS
    assert re.fullmatch(r"docker\.io/[a-z/]+:[\w.-]+", steps[0][1])
    assert ":latest" not in steps[0][1]
    assert [step[1] for step in steps if step[0] == "USER"][-1] == "sandbox"
    assert ["WORKDIR", "/home/sandbox"] in steps
    assert "bash" in text
    for step in steps:
        installs = " ".join(step)
        assert ("apt-get install" in installs) == ("rm -rf /var/lib/apt/lists" in installs)
    check(ContainerSpec(name="web", image=profile.image))
