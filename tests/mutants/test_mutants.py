"""Mutants are drawn by a seed, tried on a copy, and counted with an interval."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import explained, score
from tests.mutants.__main__ import GROUP, ROOT, TESTS, Outcomes
from tests.mutants.places import (
    Mutant,
    Place,
    annotation_spans,
    draw,
    in_order,
    is_wanted,
    places_of,
)
from tests.mutants.trial import copy_code, is_killed, quick_tests

SOURCE = '''
def clipped(value: int | None, most: int = 3) -> int:
    """Return at most 3."""
    if value is None:
        return 0
    return min(value + 1, most)
'''
TESTS_OF_IT = """
import time
from module import clipped

def test_quick():
    assert clipped(None) == 0
    assert clipped(1) == 2

def test_slow():
    end = time.process_time() + 5
    while time.process_time() < end:
        assert clipped(5) == 3
"""


def made_up(name: str, file: str = "mec_moe_env/experts.py") -> Mutant:
    return Mutant(file, "core/NumberReplacer", 0, 1, "a = 1", name, f"{file}|{name}")


def test_what_is_mutated_and_what_tests_it_exist() -> None:
    for file, tests in TESTS.items():
        assert (ROOT / file).is_file()
        assert tests
        assert all((ROOT / test).is_file() for test in tests)
    assert {path.name for path in (ROOT / "agents/mec_moe_agents/solvers").glob("[a-z]*.py")} == {
        Path(file).name for file, group in GROUP.items() if group == "solvers"
    }


def test_operators_exchange_what_a_person_might() -> None:
    assert is_wanted("core/ReplaceBinaryOperator_Add_Mul")
    assert not is_wanted("core/ReplaceBinaryOperator_Add_BitOr")
    assert is_wanted("core/ReplaceComparisonOperator_Lt_GtE")
    assert not is_wanted("core/ReplaceComparisonOperator_Eq_Is")
    assert is_wanted("core/NumberReplacer")
    assert not is_wanted("core/RemoveDecorator")


def test_a_seed_orders_places_whatever_else_there_is() -> None:
    places = [Place(f"file|{n}|0|1|0", n, (("a", n), ("b", n), ("b", n + 1))) for n in range(40)]
    once = in_order(places, 1)
    assert sorted(each.name for each in once) == sorted(each.name for each in places)
    assert [each for each in once if each.line % 2] == in_order(places[1::2], 1)
    assert [each.name for each in in_order(places, 2)] != [each.name for each in once]
    # One of two operators, and of its two ways, comes first about as often as another.
    firsts = {each.ways[0][0] + str(each.ways[0][1] - each.line) for each in once}
    assert firsts == {"a0", "b0", "b1"}


def test_annotations_are_found() -> None:
    assert annotation_spans(SOURCE) == [((2, 49), (2, 52)), ((2, 19), (2, 29)), ((2, 37), (2, 40))]


def test_places_and_mutants_of_a_file(tmp_path: Path) -> None:
    pytest.importorskip("cosmic_ray")
    (tmp_path / "module.py").write_text(SOURCE)
    places = places_of(tmp_path, "module.py")
    assert [each.line for each in places] == [2, 4, 4, 5, 6, 6]
    drawn = draw(tmp_path, places, 9, seed=1)
    assert len(drawn) == 6
    assert drawn[:2] == draw(tmp_path, places, 2, seed=1)
    plus = next(each for each in drawn if "Add_" in each.operator)
    assert plus.old == "return min(value + 1, most)"
    assert plus.new != plus.old


def test_a_mutant_is_killed_by_a_test_of_a_copy(tmp_path: Path) -> None:
    """In a process of its own, which may fork: the tests here run threads."""
    pytest.importorskip("cosmic_ray")
    (tmp_path / "module.py").write_text(SOURCE)
    (tmp_path / "test_module.py").write_text(TESTS_OF_IT)
    script = (
        "import sys; from pathlib import Path; from tests.mutants import test_mutants as here;"
        "here.check_a_copy(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=True)


def check_a_copy(tree: Path) -> None:
    """See which tests are quick, and which mutants they kill."""
    sys.path.insert(0, str(tree))
    assert quick_tests(tree, "test_module.py") == ["test_module.py::test_quick"]
    drawn = {mutant.old: mutant for mutant in draw(tree, places_of(tree, "module.py"), 9, seed=1)}
    tests = ["test_module.py::test_quick"]
    assert is_killed(tree, drawn["return 0"], tests)
    assert (tree / "module.py").read_text() == SOURCE
    assert not is_killed(
        tree, drawn["def clipped(value: int | None, most: int = 3) -> int:"], tests
    )


def test_a_copy_holds_what_tests_need(tmp_path: Path) -> None:
    copy_code(ROOT, tmp_path)
    assert (tmp_path / "mec_moe_env" / "core" / "sums.py").is_file()
    assert (tmp_path / "tests" / "conftest.py").is_file()


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    one, other = made_up("one"), made_up("other")
    outcomes, now = Outcomes(tmp_path / "outcomes.jsonl"), {one.file: "tests"}
    outcomes.add(one, True, "tests")
    assert outcomes.known([one, other], now) == {one: True}
    outcomes.add(other, False, "tests")
    assert outcomes.known([one, other], now) == {one: True, other: False}
    later = {one.file: "better tests"}
    assert outcomes.known([one, other], later) == {one: True}
    outcomes.add(other, True, "better tests")
    assert outcomes.known([one, other], later) == {one: True, other: True}
    assert outcomes.first() == {one.name: True, other.name: False}


def test_the_score_has_wilsons_interval() -> None:
    # (0.9 + 1.96²/800 ± 1.96 √(0.9·0.1/400 + 1.96²/640,000)) / (1 + 1.96²/400), z = 1.959964
    estimate = score.score([True] * 360 + [False] * 40)
    assert estimate == pytest.approx((0.9, 0.8667, 0.9258), abs=1e-4)
    assert score.percent(estimate) == "90.0 % [86.7, 92.6]"


def test_the_table_counts_groups_and_equivalents(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = {made_up("a"): True, made_up("b"): False, made_up("c", "d.py"): True}
    why = {("mec_moe_env/experts.py", "a = 1", "b"): "nobody reads it"}
    monkeypatch.setattr(explained, "explanations", lambda *kind: {} if kind else why)
    rows = score.table({"mec_moe_env/experts.py": "one", "d.py": "two"}, killed).splitlines()
    assert [row.split(" | ")[:4] for row in rows[2:]] == [
        ["| one", "2", "1", "1"],
        ["| two", "1", "1", "0"],
        ["| all", "3", "2", "1"],
    ]
    assert score.survivors(killed) == ("- mec_moe_env/experts.py:1: `a = 1` → `b`: nobody reads it")
    assert score.survivors({made_up("z"): False}).endswith("`z`: not explained")


def test_explanations_are_of_files_that_are_mutated() -> None:
    both = (explained.explanations(kind) for kind in (explained.EQUIVALENT, explained.TOLD))
    for file, old, _ in itertools.chain(*both):
        assert file in TESTS
        assert old in (ROOT / file).read_text("utf-8")


def test_whoever_imports_the_command_goes_on_compiling() -> None:
    script = "import os, tests.mutants.__main__; assert 'NUMBA_DISABLE_JIT' not in os.environ"
    variables = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=variables, check=True)
