"""The frozen tasks are what the code defines, and what is shipped is found by configuration."""

import json

import numpy as np
import pytest
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.registry import agent_names, find_agent
from mec_moe_agents.suite import frozen_baseline, shipped_bounds, shipped_plans, shipped_rows
from mec_moe_agents.suite.brackets import Bracket, as_markdown, bracket_of, brackets
from mec_moe_agents.suite.canonical import canonical, checksum, config_of, describe, identity
from mec_moe_agents.suite.check import check_definitions, check_shipped
from mec_moe_agents.suite.definitions import SHIFTED, TEST, VALIDATION, freeze
from mec_moe_agents.suite.shipped import load
from mec_moe_agents.suite.tasks import DATA, Task, find_task, tasks

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig
from tests.suite.tiny import toy_task

TASKS = tasks()
"""As shipped."""


def test_the_frozen_tasks_are_what_the_presets_say() -> None:
    assert check_definitions() == []
    assert freeze() == []
    assert {"offloading-default", "offloading-congested", "dmoe-paper"} <= TASKS.keys()


def test_canonical_json_is_worked_out_by_hand() -> None:
    document = {"b": [1, 0.5], "a": {"z": None, "y": "inf"}}
    assert canonical(document) == '{"a":{"y":"inf","z":null},"b":[1,0.5]}'
    assert checksum({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize("config", [*OFFLOADING_PRESETS.values(), *DMOE_PRESETS.values()])
def test_a_description_is_the_configuration(config: OffloadingConfig | DMoEConfig) -> None:
    offloading = isinstance(config, OffloadingConfig)
    environment = "mec_moe/Offloading-v0" if offloading else "mec_moe/DMoE-v0"
    assert config_of(environment, json.loads(json.dumps(describe(config)))) == config


def test_what_has_no_json_form_has_no_identity() -> None:
    assert identity(OffloadingConfig(tasks=object())) is None
    assert shipped_rows(OffloadingConfig(tasks=object()), "guard", [100_000]) is None


@pytest.mark.parametrize("name", TASKS)
def test_splits_share_no_seed_and_one_configuration(name: str) -> None:
    task = TASKS[name]
    test, validation, shifted = map(task.split, (TEST, VALIDATION, SHIFTED))
    assert test.seeds == range(100_000, 100_050)
    assert validation.seeds == range(90_000, 90_010)
    assert shifted.seeds == range(95_000, 95_020)
    assert task.split("train").first_seed == 2**31
    assert test.config == validation.config == task.split("train").config
    assert shifted.config != test.config
    assert shifted.shift
    # Whatever was trained can act: a shift changes no size.
    assert shifted.config.observation_shapes == test.config.observation_shapes
    assert shifted.config.steps == test.config.steps
    assert agent_names(shifted.config) == agent_names(test.config)


def test_a_file_that_was_edited_is_refused() -> None:
    document = json.loads((DATA / "dmoe-default.json").read_text(encoding="utf-8"))
    document["splits"]["test"]["config"]["qos"] = 0.5
    with pytest.raises(ValueError, match="task 'dmoe-default': checksum"):
        Task.from_document(document)
    del document["splits"]
    with pytest.raises(ValueError, match="splits"):
        Task.from_document(document)


@pytest.mark.parametrize(("field", "same"), [("rician_factor", True), ("horizon", False)])
def test_a_field_that_came_after_the_freeze_has_its_default(field: str, same: bool) -> None:
    document = toy_task().definition
    for split in document["splits"].values():
        del split["config"][field]
    stated = {**document, "checksum": checksum(document), "baseline": None, "complete": []}
    task = Task.from_document(stated)
    assert task.definition == document
    assert (task.in_full.checksum == toy_task().checksum) == same


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'dmoe-paper'"):
        find_task("dmoe-papre")
    with pytest.raises(ValueError, match="did you mean 'test'"):
        find_task("dmoe-paper").split("tests")
    with pytest.raises(ValueError, match="no last seed"):
        _ = find_task("dmoe-paper").split("train").seeds


def test_no_return_is_above_its_bound_and_nothing_is_stale() -> None:
    assert check_shipped() == []


def test_the_data_stay_small() -> None:
    sizes = [file.stat().st_size for file in DATA.iterdir()]
    assert max(sizes) < 1_000_000
    assert sum(sizes) < 6_000_000


@pytest.mark.parametrize("name", TASKS)
def test_the_baseline_is_the_best_untrained_contender(name: str) -> None:
    split = TASKS[name].split(TEST)
    rows = load(TASKS[name], split).rows
    agents = [
        agent
        for agent in agent_names(split.config)
        if agent != "learned" and find_agent(agent, split.config).contender
    ]
    # Nobody is, before all have run.
    complete = rows.keys() >= set(agents)
    best = max(agents, key=lambda agent: rows[agent]["return"].mean()) if complete else None
    assert frozen_baseline(split.config) == best


def test_references_are_never_score_0() -> None:
    """They know what no scheduler can, or solve the return itself."""
    references = {"clairvoyant", "greedy-oracle", "optimal", "exact"}
    assert not references & {task.baseline for task in TASKS.values()}


def test_rows_are_found_by_configuration_in_any_order_over_splits() -> None:
    config, seeds = DMoEConfig(num_layers=4), [100_003, 90_001]
    rows = shipped_rows(config, "jesa", seeds)
    assert rows is not None
    fresh = evaluate("jesa", config, seeds).metrics
    assert rows.keys() == fresh.keys()
    for name, values in rows.items():
        np.testing.assert_allclose(values, fresh[name], rtol=1e-6, err_msg=name)
    assert shipped_rows(config, "jesa", [100_003, 7]) is None
    assert shipped_rows(config, "jesa", []) is None
    assert shipped_rows(config, "nobody", seeds) is None
    assert shipped_rows(config.override(qos=0.5), "jesa", seeds) is None
    assert frozen_baseline(config.override(qos=0.5)) is None
    assert shipped_bounds(config.override(qos=0.5), seeds) is None
    assert shipped_plans(config, seeds) is None
    assert shipped_rows(OFFLOADING_PRESETS["digits"], "guard", range(20)) is not None


def test_a_bracket_is_worked_out_by_hand() -> None:
    bracket = Bracket("t", "guard", -10.0, "clairvoyant", -3.0, -2.0)
    assert bracket.open_share == 0.125
    assert bracket.open_of_bound == 0.5
    assert bracket.markdown == ("| `t` | `guard` | −10 | `clairvoyant` | −3 | −2 | 12.5 % | 50 % |")
    near = Bracket("t", "jesa", -2.001, "optimal", -2.0005, -2.0)
    assert "| nothing to gain | 0.025 % |" in near.markdown


def test_the_docs_show_the_brackets() -> None:
    page = (DATA.parents[3] / "docs" / "suite.md").read_text(encoding="utf-8")
    assert as_markdown(brackets()) in page


def test_a_task_without_bounds_has_no_bracket() -> None:
    assert bracket_of(TASKS["dmoe-digits-moe"]) is None
    found = bracket_of(TASKS["offloading-default"])
    assert found is not None
    assert found.baseline_return < found.reference_return < found.bound
