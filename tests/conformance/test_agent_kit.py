"""The kit catches every broken agent and passes the project's own."""

import pytest
from mec_moe_agents import agent_names
from mec_moe_agents.testing import agent_checks, check_agent
from mec_moe_agents.testing.agents import AGENT_CHECKS
from mec_moe_agents.testing.broken_agents import BROKEN_AGENTS, BrokenAgent, Tidy

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from mec_moe_env.testing import failures

JOINT = OFFLOADING_PRESETS["joint"].override(horizon=6, num_servers=6, num_subcarriers=4)
DMOE = DMOE_PRESETS["default"]


@pytest.mark.parametrize("broken", BROKEN_AGENTS, ids=lambda broken: broken.agent.__name__)
def test_a_broken_agent_fails_as_it_should(broken: BrokenAgent) -> None:
    found = failures(agent_checks(broken.agent, JOINT))
    assert set(found) == set(broken.fails), found


def test_every_check_has_a_specimen() -> None:
    caught = {name for broken in BROKEN_AGENTS for name in broken.fails}
    assert caught == {check.__name__ for check in AGENT_CHECKS}


def test_a_sound_agent_passes() -> None:
    assert len(check_agent(Tidy, JOINT)) == len(AGENT_CHECKS)


@pytest.mark.parametrize("name", agent_names(JOINT))
def test_our_agents_of_offloading_pass(name: str) -> None:
    check_agent(name, JOINT, expected_failures=EXPECTED.get(name, {}))


@pytest.mark.parametrize("name", agent_names(DMOE))
def test_our_agents_of_dmoe_pass(name: str) -> None:
    check_agent(name, DMOE, expected_failures=EXPECTED.get(name, {}))


EXPECTED: dict[str, dict[str, str]] = {}
