"""A small finished run, as `compare` leaves it, without the command."""

from collections.abc import Mapping
from pathlib import Path

from mec_moe_agents import Episodes
from mec_moe_agents.evaluation.export import write_comparison
from mec_moe_agents.evaluation.leaderboard import Leaderboard, summarize
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.report.comparison import record_comparison
from mec_moe_agents.report.record import Invocation

from mec_moe_env import OFFLOADING_PRESETS
from tests.evaluation.made_up import bounds_of

CONFIG = OFFLOADING_PRESETS["default"].override(horizon=30, doppler_hz=float("inf"))
PROVENANCE = Provenance("1.2.3", None, "0123456789abcdef")
CALLED = Invocation("compare", "mec-moe compare --seeds 4", "mec-moe compare --seeds 4 --env x")
AGENTS = ("guard", "nearest", "gating")


def leaderboard(results: Mapping[str, Episodes]) -> Leaderboard:
    return summarize(results, ["gating"], bounds=bounds_of(-0.5, 4))


def write_run(folder: Path, results: Mapping[str, Episodes]) -> Path:
    scenario = Scenario("default", CONFIG, AGENTS)
    write_comparison(folder, scenario, results, leaderboard(results), PROVENANCE, "title")
    record_comparison(folder, CALLED, PROVENANCE, scenario, range(4))
    return folder
