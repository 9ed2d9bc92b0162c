"""Scenarios from files and agents from outside on the command line."""

import json
import shlex
from pathlib import Path

import pytest

pytest.importorskip("typer")

from mec_moe_agents.bench.case import find_cases
from mec_moe_agents.cli import app
from mec_moe_agents.evaluation.comparison import Listener, compare_everywhere
from mec_moe_agents.evaluation.naming import choose, parse_scenarios
from mec_moe_agents.evaluation.scenarios import RankingRequest, Scenario
from mec_moe_agents.evaluation.store import CellStore
from mec_moe_agents.executors.naming import opened
from typer.testing import CliRunner, Result

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.scenarios import OFFLOADING_SCENARIOS
from tests.outside.strangers import STRANGER


def mec_moe(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text('scenario = "toy"\nenergy_weight = 2.0\n')
    (tmp_path / "layers.toml").write_text('environment = "dmoe"\nscenario = "toy"\nqos = 0.5\n')
    (tmp_path / "own.py").write_text(STRANGER)
    return tmp_path


def test_compare_runs_the_scenario_of_a_file(folder: Path) -> None:
    result = mec_moe("compare", "--config", "small.toml", "--agents", "nearest", "--seeds", 2)
    assert result.exit_code == 0, result.output
    assert "Offloading · small: 2 servers" in result.stdout
    record = json.loads(Path("runs/small/run.json").read_text())
    (setup,) = record["setups"]
    assert (setup["scenario"], setup["preset"]) == ("small", "toy")
    assert setup["overrides"] == {"energy_weight": [1.0, 2.0]}
    assert "--config small.toml" in record["reproduce"][0]
    Path("small.toml").write_text('scenario = "toy"\nenergy_weight = 3.0\n')
    refused = mec_moe("compare", "--config", "small.toml", "--agents", "nearest", "--seeds", 2)
    assert refused.exit_code == 2
    assert "of another configuration: energy_weight = 2.0 there, 3.0 here" in refused.stderr


def test_a_file_and_a_name_and_settings(folder: Path) -> None:
    toy = OFFLOADING_PRESETS["toy"].override(energy_weight=2.0)
    small, layers = Path("small.toml"), Path("layers.toml")
    assert choose(None, None, {}, small).config == toy
    assert choose(None, None, {"delay_weight": 1}, small).config == toy.override(delay_weight=1)
    named = choose(None, "toy", {}, small)
    assert (named.name, named.preset, named.config) == ("toy", "toy", toy)
    dmoe = choose(None, None, {}, layers)
    assert (dmoe.name, dmoe.preset) == ("dmoe/layers", "toy")
    assert dmoe.config == DMOE_PRESETS["toy"].override(qos=0.5)
    assert choose("dmoe", None, {}, layers).config == dmoe.config
    with pytest.raises(ValueError, match="changes scenario 'toy', asked for is 'digits'"):
        choose(None, "digits", {}, small)
    with pytest.raises(ValueError, match="it is for mec_moe/DMoE-v0, not for"):
        choose("offloading", None, {}, layers)
    with pytest.raises(ValueError, match="name a scenario, or give the file"):
        choose(None, None, {})


@pytest.mark.parametrize(
    "command",
    ["compare", "replay --agents guard", "pareto", "train --algo ppo"],
)
def test_a_scenario_or_a_file_is_required(command: str) -> None:
    result = mec_moe(*command.split())
    assert result.exit_code == 2
    assert "Missing option" in result.stderr


def test_replay_repeats_itself_with_the_file(folder: Path) -> None:
    result = mec_moe("replay", "--config", "small.toml", "--agents", "own.py:BestLink,guard")
    assert result.exit_code == 0, result.output
    (page,) = Path("runs/small").glob("replay-*.html")
    assert page.name.startswith("replay-own.py-BestLink-")
    command = "mec-moe replay --config small.toml --agents own.py:BestLink,guard --seed 0"
    assert command in page.read_text()


def test_pareto_takes_a_file_for_dmoe_alone(folder: Path) -> None:
    Path("other.toml").write_text('environment = "offloading"\nscenario = "toy"\n')
    refused = mec_moe("pareto", "--config", "other.toml")
    assert refused.exit_code == 2
    assert "other.toml: it is for mec_moe/Offloading-v0, not for mec_moe/DMoE-v0" in refused.stderr


def test_rank_has_files_and_agents_from_outside(folder: Path) -> None:
    agents = ("--agents", "guard,own.py:BestLink[least=0.5],des[quality=0.9]")
    result = mec_moe("rank", "--config", "small.toml", *agents, "--seeds", 8, "--out", "ranked")
    assert result.exit_code == 0, result.output
    document = json.loads(Path("ranked/ranking.json").read_text())
    (scenario,) = document["scenarios"]
    lines = {line["agent"]: line for line in scenario["agents"]}
    assert {"guard", "own.py:BestLink[least=0.5]", "des[quality=0.9]"} <= lines.keys()
    words = shlex.split(lines["own.py:BestLink[least=0.5]"]["command"])
    assert words[:4] == ["mec-moe", "rank", "--config", "small.toml"]
    request = RankingRequest.check("toy", "own.py:BestLink", range(1), files=[Path("small.toml")])
    assert [each.name for each in request.scenarios] == ["toy", "small"]
    assert request.command(["toy", "small"]).startswith(
        "mec-moe rank --scenario toy --config small.toml --seeds 1"
    )
    wrong = mec_moe("rank", "--scenario", "toy", "--agents", "own.py:Nobody")
    assert wrong.exit_code == 2
    assert "has no 'Nobody'" in wrong.stderr


def test_workers_find_agents_from_outside(folder: Path) -> None:
    scenario = Scenario("toy", OFFLOADING_PRESETS["toy"], ["guard", "own.py:BestLink"])
    stores = CellStore(folder / "one"), CellStore(folder / "two")
    with opened("processes:2") as processes:
        one, two = (
            compare_everywhere([scenario], range(3), store, "x", Listener(), executor)["toy"]
            for executor, store in zip((None, processes), stores, strict=True)
        )
    assert one.keys() == two.keys()
    for agent in scenario.agents:
        assert one[agent].metrics["return"].tolist() == two[agent].metrics["return"].tolist()


def test_two_scenarios_of_one_name_are_refused(folder: Path) -> None:
    Path("toy.toml").write_text("horizon = 3")
    with pytest.raises(ValueError, match="there is another scenario 'toy'; rename the file"):
        parse_scenarios("toy", files=[Path("toy.toml")])


def test_bench_takes_a_file(folder: Path) -> None:
    (case,) = find_cases((), [Path("small.toml")])
    assert case.config == OFFLOADING_PRESETS["toy"].override(energy_weight=2.0)


def test_the_fields_of_a_scenario_are_listed(folder: Path) -> None:
    listed = mec_moe("scenarios", "small.toml").stdout
    assert "* energy_weight = 2.0 1/J\n" in listed
    assert "  bandwidth_hz = 1000000.0 Hz\n" in listed
    assert "B0, the width of one subcarrier. Allowed: [1, 10¹²]." in listed
    for field in OffloadingConfig().to_dict():
        assert f" {field} = " in listed
    assert "num_nodes = 8" in mec_moe("scenarios", "dmoe/paper").stdout
    assert max(map(len, listed.splitlines())) <= 80
    wrong = mec_moe("scenarios", "dgits")
    assert wrong.exit_code == 2
    assert "did you mean 'digits'" in wrong.stderr


def test_registered_scenarios_are_listed_and_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OFFLOADING_SCENARIOS, "_registered", {})
    OFFLOADING_SCENARIOS.register("rural", OFFLOADING_PRESETS["toy"].override(bandwidth_hz=2e6))
    assert "rural" in mec_moe("scenarios").stdout
    result = mec_moe("compare", "--scenario", "rural", "--agents", "nearest", "--seeds", 1)
    assert result.exit_code == 0, result.output
    assert "Offloading · rural: 2 servers" in result.stdout


def test_the_options_of_an_agent_are_listed(folder: Path) -> None:
    both = mec_moe("agents", "des[gate=gating]").stdout
    assert "Offloading · des: the cheapest servers" in both
    assert "DMoE · des: cheapest experts" in both
    for word in ("quality", "learning_rate", "float", "importance"):
        assert word in both
    assert "threshold" in mec_moe("agents", "guard").stdout
    assert "It has no options." in mec_moe("agents", "nearest").stdout
    own = mec_moe("agents", "own.py:BestLink").stdout
    assert "The idle server with the best link" in own
    assert "bit/s/Hz below which a task is rejected." in own
    wrong = mec_moe("agents", "gaurd")
    assert wrong.exit_code == 2
    assert "did you mean 'guard'" in wrong.stderr


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("own.py:BestLink[seed=1]", "agent 'own.py:BestLink[seed=1]' has no option 'seed'"),
        ("own.py:nothing", "agent 'own.py:nothing': an agent needs predict or act"),
        ("own.py:Broken", "predict of Broken must return (actions, state)"),
        ("wrong.py:A", "agent 'wrong.py:A': no Python that can be read"),
        ("exits.py:A", "agent 'exits.py:A' asked Python to exit (3)"),
    ],
)
def test_what_is_wrong_with_an_agent_is_a_line(folder: Path, agent: str, message: str) -> None:
    Path("wrong.py").write_text("class A:\n")
    Path("exits.py").write_text("raise SystemExit(3)\n")
    result = mec_moe("compare", "--scenario", "toy", "--agents", f"{agent},nearest", "--seeds", 2)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("mec-moe: ")
    if "Broken" not in agent and "seed" not in agent:
        assert mec_moe("agents", agent).exit_code == 2


def test_no_name_is_no_agent() -> None:
    result = mec_moe("agents", "")
    assert result.exit_code == 2
    assert "unknown agent ''" in result.stderr
