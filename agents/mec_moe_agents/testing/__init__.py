"""The conformance kit's part for agents; the rest is in `mec_moe_env.testing`."""

from mec_moe_agents.testing.agents import agent_checks as agent_checks
from mec_moe_agents.testing.agents import check_agent as check_agent
