"""What README and docs say of measurements follows from rows that are kept."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from mec_moe_agents.evaluation.naming import parse_scenarios
from mec_moe_agents.suite.definitions import TEST
from mec_moe_agents.suite.shipped import load
from mec_moe_agents.suite.tasks import splits_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load_script() -> ModuleType:
    path = ROOT / "docs" / "results" / "regenerate.py"
    spec = importlib.util.spec_from_file_location("regenerate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SCRIPT: Any = load_script()
RESULTS = SCRIPT.results()


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_has_its_command_beside_it_and_its_rows_are_those_recorded(name: str) -> None:
    result = RESULTS[name]
    record = json.loads(result.record.read_text(encoding="utf-8"))
    assert record["command"] == result.command.format(out=f"runs/results/{name}")
    assert len(record["code"]) == 16
    for page in result.pages:
        assert result.command_on_pages in (ROOT / page).read_text(encoding="utf-8"), page
    for picture in result.pictures.values():
        assert (ROOT / picture).is_file()
    if not result.suite:
        rows = SCRIPT.read_rows(result.kept)
        assert len(rows) == record["rows"]
        assert SCRIPT.checksum(rows) == record["checksum"]


def test_the_ranking_is_of_the_rows_that_are_shipped_with_the_suite() -> None:
    rows = [
        {"scenario": scenario, "agent": agent, "seed": str(seed), "return": f"{value:.9g}"}
        for scenario, config in parse_scenarios("all").items()
        for task, split in splits_of(config)
        if split.name == TEST
        for agent, metrics in load(task, split).rows.items()
        for seed, value in zip(split.seeds, metrics["return"].tolist(), strict=True)
    ]
    record = json.loads(RESULTS["ranking"].record.read_text(encoding="utf-8"))
    assert len(rows) == record["rows"]
    assert SCRIPT.checksum(rows) == record["checksum"]


def test_the_demo_is_what_the_makefile_runs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    command = RESULTS["digits"].command_on_pages
    assert command == "make demo"
    assert RESULTS["digits"].command.removesuffix("{out}") in makefile


def means_of(name: str) -> dict[str, dict[str, float]]:
    """Return each agent's mean of each column; `-` where one is not finite."""
    rows = SCRIPT.read_rows(RESULTS[name].kept)
    agents = dict.fromkeys(row["agent"] for row in rows)
    columns = [column for column in rows[0] if column not in ("agent", "seed")]
    return {
        agent: {
            column: float(np.mean([float(row[column]) for row in rows if row["agent"] == agent]))
            for column in columns
        }
        for agent in agents
    }


def test_the_readme_shows_the_demos_rows() -> None:
    means = means_of("digits")
    lines = [line.split("|") for line in README.splitlines() if line.startswith("| ")]
    table = {match[1]: line for line in lines if (match := re.search(r"`([a-z-]+)`", line[1]))}
    bound = next(line for line in lines if "certified bound" in line[1])
    assert first_number(bound[2]) == round(means["random"]["bound"])
    shown = {agent: table[agent] for agent in means}  # all of them stand there
    best = means["des"]["return"]
    for agent, line in shown.items():
        mean = means[agent]
        score = 1 - (mean["bound"] - mean["return"]) / (mean["bound"] - best)
        tasks = mean["accepted"] + mean["rejected"]
        assert first_number(line[2]) == round(mean["return"]), agent
        assert first_number(line[3]) == pytest.approx(
            score, abs=0.051 if abs(score) >= 1 else 0.0051
        )
        assert first_number(line[5]) == pytest.approx(mean["generalization_error"], abs=5.1e-4)
        assert first_number(line[6]) == pytest.approx(100 * mean["accuracy"], abs=0.051)
        assert first_number(line[7]) == pytest.approx(1e3 * mean["energy_j"] / tasks, abs=0.051)
        assert first_number(line[8]) == pytest.approx(100 * mean["rejected"] / tasks, abs=0.051)


def test_the_readme_shows_the_means_of_contended() -> None:
    text = " ".join(README.split())
    for agent, mean in means_of("contended").items():
        number = f"{mean['return']:.2f}".replace("-", "−")
        assert re.search(rf"{number} for (the reference )?`{agent}`", text), (agent, number)


def first_number(text: str) -> float:
    match = re.search(r"[−-]?\d+(\.\d+)?", text)
    assert match is not None, text
    return float(match[0].replace("−", "-"))


def test_rows_agree_to_what_processors_differ_by() -> None:
    kept = [{"agent": "a", "return": "-1.5"}, {"agent": "b", "return": "2"}]
    near = [{"agent": "a", "return": "-1.5000001"}, {"agent": "b", "return": "2"}]
    far = [{"agent": "a", "return": "-1.5001"}, {"agent": "b", "return": "2"}]
    assert SCRIPT.differences(kept, near) == []
    assert SCRIPT.differences(kept, far) == [
        "row 1, return: -1.5 is kept, -1.5001 came out",
    ]
    assert SCRIPT.differences(kept, kept[:1]) == ["2 rows are kept, 1 came out"]
    assert SCRIPT.differences(kept, [kept[1], kept[0]]) != []
    assert SCRIPT.checksum(kept) == SCRIPT.checksum(kept[::-1])
    assert SCRIPT.checksum(kept) != SCRIPT.checksum(far)


def test_only_numbers_are_shortened(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(
        "agent,version,code,return,train_seconds\ndes,0.1.0,abc,0.12345678912345,3\n",
        encoding="utf-8",
    )
    assert SCRIPT.read_rows(file) == [{"agent": "des", "return": "0.123456789"}]
