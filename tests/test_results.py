"""What README and docs say of measurements follows from rows that are kept."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import estimate_mean
from mec_moe_agents.evaluation.naming import parse_scenarios
from mec_moe_agents.suite.definitions import TEST
from mec_moe_agents.suite.shipped import load
from mec_moe_agents.suite.tasks import splits_of

from tests.documentation.blocks import pages
from tests.modules import load_script

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


SCRIPT: Any = load_script(ROOT / "docs" / "results" / "regenerate.py")
RESULTS = SCRIPT.results()
PAGES = [*pages(), *sorted((ROOT / "docs" / "notebooks").glob("*.md"))]
SPEED = ROOT / "benchmarks" / "README.md"
"""Its tables are of times, which have no entry: their commands stand beside them."""
DRAWN_BY_HAND = {ROOT / "docs" / "system.svg"}
PICTURE = re.compile(r"!\[[^\]]*\]\(([^):]+)\)")
COMMAND = re.compile(r"`(mec-moe|python|make) |^(mec-moe|python|make) ", re.MULTILINE)
FIGURE = re.compile(r"[*+−-]*\d[\d.,]*( |$|–)")
"""A number with what belongs to it, a unit or an interval."""


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_has_its_command_beside_it_and_its_rows_are_those_recorded(name: str) -> None:
    result = RESULTS[name]
    record = json.loads(result.record.read_text(encoding="utf-8"))
    assert record["command"] == result.command.format(out=f"runs/results/{name}")
    assert len(record["code"]) == 16
    for page in result.pages:
        assert result.command_on_pages in (ROOT / page).read_text(encoding="utf-8"), page
    for picture in (*result.pictures.values(), *result.writes):
        assert (ROOT / picture).is_file()
    if not result.suite:
        rows = SCRIPT.read_rows(result.kept)
        assert len(rows) == record["rows"]
        assert SCRIPT.checksum(rows) == record["checksum"]


def test_every_picture_comes_from_a_command() -> None:
    made = {
        ROOT / name for each in RESULTS.values() for name in (*each.pictures.values(), *each.writes)
    }
    shown = {
        (page.parent / name).resolve()
        for page in PAGES
        for name in PICTURE.findall(page.read_text(encoding="utf-8"))
    }
    assert shown <= made | DRAWN_BY_HAND
    assert set((ROOT / "docs").glob("*.png")) <= made


def test_every_file_that_is_kept_belongs_to_a_result() -> None:
    kept = {path for each in RESULTS.values() for path in (each.record, each.kept)}
    folder = ROOT / "docs" / "results"
    assert {path for kind in ("json", "csv", "gz") for path in folder.glob(f"*.{kind}")} <= kept


def tables(text: str) -> list[tuple[str, str]]:
    """Return each table of a page with what stands beside it.

    That is what stands between the headings or tables before and after it.
    """
    parts = re.split(r"((?:^\|.*\n)+)|^#.*\n", text, flags=re.MULTILINE)
    # Text and tables take turns, None where a heading parted two texts.
    texts, between = parts[::2], parts[1::2]
    around = zip(between, texts, texts[1:], strict=False)
    return [(table, before + after) for table, before, after in around if table]


def measured(table: str) -> bool:
    """Tell whether a third of a table's cells begin with a number."""
    _, _, *lines = table.splitlines()
    cells = [cell.strip() for line in lines for cell in line.strip("|").split("|")[1:]]
    return 3 * sum(bool(FIGURE.match(cell)) for cell in cells) >= len(cells)


@pytest.mark.parametrize("page", [*PAGES, SPEED], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_table_of_measurements_has_its_command_beside_it(page: Path) -> None:
    for table, beside in tables(page.read_text(encoding="utf-8")):
        assert COMMAND.search(beside) or not measured(table), table


def test_tables_of_measurements_are_found() -> None:
    found = [table for table, _ in tables(SPEED.read_text(encoding="utf-8"))]
    assert sum(map(measured, found)) >= 6
    assert not measured(found[0])  # commands
    assert [measured(table) for table, _ in tables(README)] == [False, True, False, False]
    text = "# A\nx\n| a |\n| - |\n| 1 |\ny\n## B\nz\n| b |\n| - |\n"
    assert [beside for _, beside in tables(text)] == ["x\ny\n", "z\n"]


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


def test_packed_rows_are_the_same_file_again(tmp_path: Path) -> None:
    rows = [{"agent": "a, b", "return": "-1.5"}, {"agent": "c", "return": "2"}]
    for name in ("rows.csv", "rows.csv.gz", "again.csv.gz"):
        SCRIPT.keep(tmp_path / name, rows)
        assert SCRIPT.read_rows(tmp_path / name) == rows
    assert (tmp_path / "rows.csv.gz").read_bytes() == (tmp_path / "again.csv.gz").read_bytes()


def test_a_printed_table_has_rows() -> None:
    printed = "words\n| a | b | b |\n| --- | --- | --- |\n| `x` | 1 | 2 % |\n"
    assert SCRIPT.rows_of_table(printed) == [{"a": "`x`", "b": "1", "b 2": "2 %"}]


def test_the_suites_page_shows_the_brackets() -> None:
    page = (ROOT / "docs" / "suite.md").read_text(encoding="utf-8")
    shown = [SCRIPT.rows_of_table(table) for table, _ in tables(page)]
    assert SCRIPT.read_rows(RESULTS["brackets"].kept) in shown


def test_the_companion_papers_page_shows_the_means() -> None:
    page = (ROOT / "docs" / "continual.md").read_text(encoding="utf-8")
    rows = SCRIPT.read_rows(RESULTS["continual"].kept)
    for line in SCRIPT.rows_of_table(tables(page)[0][0]):
        errors = [
            float(row["error"])
            for row in rows
            if (row["servers"], row["round"]) == (line["M"], line["rounds"])
        ]
        standard_error = np.std(errors, ddof=1) / np.sqrt(len(errors))
        assert line["here"] == f"{np.mean(errors):.3f} ± {standard_error:.3f}", line


def paired(rows: list[dict[str, str]], labels: tuple[str, ...], column: str) -> dict[Any, Any]:
    """Return a column by labels, seeds in order."""
    found: dict[Any, list[float]] = {}
    for row in rows:
        found.setdefault(tuple(row[label] for label in labels), []).append(float(row[column]))
    return {key: np.array(values) for key, values in found.items()}


def test_the_readme_says_where_the_learned_policy_is_behind() -> None:
    rows = SCRIPT.read_rows(RESULTS["transfer"].kept)
    returns = paired(rows, ("condition", "scheduler"), "return")
    behind = {
        condition: estimate_mean(returns[condition, "des"] - returns[condition, "learned"]).low > 0
        for condition, agent in returns
        if agent == "des"
    }
    assert {condition for condition, found in behind.items() if found} == {"M = 32", "M = 64"}
    assert "with 32 servers or more `des` is better" in README


def test_the_readme_says_what_learned_importance_saves() -> None:
    text = " ".join(README.split())
    means = means_of("digits-moe")
    spent = means["learned"]["energy_per_token_j"] / means["jesa"]["energy_per_token_j"]
    assert f"it spends {100 * spent:.0f} % of the energy" in text
    assert {f"{100 * each['accuracy']:.1f}" for each in means.values()} == {"98.6"}
    assert "at the same accuracy of 98.6 %" in text
    rows = SCRIPT.read_rows(RESULTS["importance"].kept)
    joules = paired(rows, ("gamma0", "scheduler"), "energy_per_token_j")
    accuracy = paired(rows, ("gamma0", "scheduler"), "accuracy")
    on_train = paired(rows, ("gamma0", "scheduler"), "accuracy_on_train")
    values = [gamma for gamma, agent in joules if agent == "jesa"]
    saved = [1 - (joules[gamma, "learned"] / joules[gamma, "jesa"]).mean() for gamma in values]
    assert f"at least {100 * min(saved):.0f} % less energy" in text
    assert all(
        accuracy[gamma, "learned"].mean() >= accuracy[gamma, "jesa"].mean() for gamma in values
    )
    lost = [
        100 * (on_train[gamma, "jesa"] - on_train[gamma, "learned"]).mean()
        for gamma in values
        if float(gamma) >= 0.35
    ]
    assert f"lose {min(lost):.1f} to {max(lost):.1f} points for γ0 ≥ 0.35" in text


def test_the_readme_says_how_many_steps_each_policy_needs() -> None:
    ends: dict[tuple[str, str], float] = {}
    for row in SCRIPT.read_rows(RESULTS["sample-efficiency"].kept):
        ends[row["policy"], row["seed"]] = float(row["steps"])
    # A run ends where `guard` is reached, or at the first look after 800,000 steps.
    needed = {
        policy: [end for (name, _), end in ends.items() if name == policy]
        for policy in ("shape", "features", "mlp")
    }
    (seeds,) = re.findall(r"--seeds (\d)", RESULTS["sample-efficiency"].command)
    assert {len(found) for found in needed.values()} == {int(seeds)}
    assert set(needed["shape"]) == {12_800}
    assert max(needed["features"]) < 800_000 <= min(needed["mlp"])
    assert f"needs {np.median(needed['features']):,.0f} (median)" in " ".join(README.split())


def test_only_numbers_are_shortened(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(
        "agent,version,code,return,train_seconds\ndes,0.1.0,abc,0.12345678912345,3\n",
        encoding="utf-8",
    )
    assert SCRIPT.read_rows(file) == [{"agent": "des", "return": "0.123456789"}]
