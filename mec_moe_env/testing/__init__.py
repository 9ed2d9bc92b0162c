"""The public conformance kit: checks of what somebody brings, each by its name.

`check_task_stream`, `check_world` and `check_scenario` run them all; `task_stream_checks` and its
like return them for `parametrize_with_checks`. `check_agent` is in `mec_moe_agents.testing`.
"""

from mec_moe_env.testing.conformance import Check as Check
from mec_moe_env.testing.conformance import ConformanceError as ConformanceError
from mec_moe_env.testing.conformance import ViolationError as ViolationError
from mec_moe_env.testing.conformance import failures as failures
from mec_moe_env.testing.conformance import parametrize_with_checks as parametrize_with_checks
from mec_moe_env.testing.scenarios import check_scenario as check_scenario
from mec_moe_env.testing.scenarios import scenario_checks as scenario_checks
from mec_moe_env.testing.streams import check_task_stream as check_task_stream
from mec_moe_env.testing.streams import task_stream_checks as task_stream_checks
from mec_moe_env.testing.worlds import check_world as check_world
from mec_moe_env.testing.worlds import world_checks as world_checks
