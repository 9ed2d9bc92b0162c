"""Whatever docs/outside.md calls an agent can be checked, built as `evaluate` builds it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents.testing import agent_checks, check_agent
from mec_moe_agents.testing.agents import AGENT_CHECKS
from mec_moe_agents.testing.broken_agents import Tidy

from mec_moe_env import OFFLOADING_PRESETS
from mec_moe_env.testing import failures, scenario_checks, world_checks

SMALL = OFFLOADING_PRESETS["default"].override(horizon=10)


class Sampler:
    """A random idle server, one row at a time; a class with `act` alone, as in docs/outside.md."""

    def __init__(self, config: Any, seed: Any) -> None:
        self.servers, self.generator = config.num_servers, np.random.default_rng(seed)

    def act(self, observation: Any, action_mask: Any) -> Any:
        possible = action_mask[: self.servers + 1].nonzero()[0]
        return self.generator.choice(possible), action_mask[self.servers + 1 :].argmax()


class Masked:
    """Takes the masks of a batch."""

    def predict(self, observation: Any, action_masks: Any) -> Any:
        servers = SMALL.num_servers + 1
        chosen = action_masks[:, :servers].argmax(axis=1), action_masks[:, servers:].argmax(axis=1)
        return np.stack(chosen, axis=1), None


class Positional(Tidy):
    """Has another word for the configuration, which then comes first."""

    def __init__(self, c: Any) -> None:
        super().__init__(c)


class Copied:
    """An object that is copied for each row."""

    slot = 0

    def act(self, observation: Any) -> Any:
        self.slot += 1
        return [self.slot % SMALL.num_servers, 0]


def reject(observation: Any) -> Any:
    """Give no task to anybody."""
    return [[SMALL.num_servers, 0]] * len(observation["payload"])


def make_tidy(config: Any, seeds: Any) -> Tidy:
    assert isinstance(seeds, list)
    return Tidy(config)


@pytest.mark.parametrize(
    "agent",
    [Sampler, Masked, Masked(), Positional, Copied(), Tidy(SMALL), reject, make_tidy],
    ids=lambda agent: getattr(agent, "__name__", f"a {type(agent).__name__}"),
)
def test_what_is_an_agent_passes(agent: Any) -> None:
    assert len(check_agent(agent, SMALL)) == len(AGENT_CHECKS)


@pytest.mark.parametrize("name", ["Sampler", "Masked", "Positional", "reject", "make_tidy"])
def test_so_does_its_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / "strange.py"
    file.write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    assert len(check_agent(f"{file}:{name}", SMALL)) == len(AGENT_CHECKS)


class Leaving(Tidy):
    """Ends the process when it is asked."""

    def predict(self, *arguments: Any, **keywords: Any) -> Any:
        raise SystemExit(3)


class Absent:
    """Ends the process when it is built."""

    def __init__(self) -> None:
        raise SystemExit(4)


@pytest.mark.parametrize(("agent", "code"), [(Leaving, "3"), (Absent, "4")])
def test_what_leaves_has_failed(agent: Any, code: str) -> None:
    found = failures(agent_checks(agent, SMALL))
    assert list(found) == ["it_answers"]
    assert code in found["it_answers"]


@pytest.mark.parametrize(
    "checks", [lambda config: agent_checks("guard", config), scenario_checks, world_checks]
)
def test_a_scenario_is_its_configuration(checks: Any) -> None:
    with pytest.raises(ValueError, match="config = 'toy' is not allowed: .* OFFLOADING_PRESETS"):
        checks("toy")
