"""When the clairvoyant takes part, and what is known of trained agents."""

from dataclasses import replace

import numpy as np
import pytest
from mec_moe_agents.agent import CatalogueEntry
from mec_moe_agents.evaluation import scenarios
from mec_moe_agents.evaluation.scenarios import (
    CLAIRVOYANT,
    RankingRequest,
    parse_agents,
    with_clairvoyant,
)
from mec_moe_agents.evaluation.trained import training_runs
from mec_moe_agents.offloading.catalogue import OFFLOADING_AGENTS

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS

CONFIG = OFFLOADING_PRESETS["default"]


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the catalogue have a clairvoyant, and nobody's plans be shipped."""
    entry: CatalogueEntry = replace(OFFLOADING_AGENTS["random"], contender=False)
    everyone = {**OFFLOADING_AGENTS, CLAIRVOYANT: entry}
    monkeypatch.setattr("mec_moe_agents.registry.CATALOGUES", {"offloading": everyone, "dmoe": {}})
    monkeypatch.setattr(scenarios, "shipped_plans", lambda config, seeds: None)


@pytest.mark.usefixtures("listed")
def test_the_clairvoyant_runs_on_demand() -> None:
    everyone = parse_agents("all", CONFIG)
    assert CLAIRVOYANT not in everyone
    assert parse_agents(f"guard,{CLAIRVOYANT}", CONFIG) == ["guard", CLAIRVOYANT]
    assert with_clairvoyant(everyone, CONFIG, range(3), certify=False) == everyone
    assert with_clairvoyant(everyone, CONFIG, range(3), certify=True) == [*everyone, CLAIRVOYANT]


@pytest.mark.usefixtures("listed")
def test_the_clairvoyant_takes_part_where_its_plans_are_shipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = np.zeros((2, CONFIG.horizon, 1))
    monkeypatch.setattr(
        scenarios, "shipped_plans", lambda config, seeds: plans if list(seeds) == [1, 2] else None
    )
    assert with_clairvoyant(["guard"], CONFIG, [1, 2], certify=False) == ["guard", CLAIRVOYANT]
    assert with_clairvoyant(["guard"], CONFIG, [1, 3], certify=False) == ["guard"]


@pytest.mark.usefixtures("listed")
def test_a_ranking_repeats_its_certification() -> None:
    request = RankingRequest.check("default", "all", range(3), certify=True)
    assert CLAIRVOYANT in request.scenarios[0].agents
    assert request.command(["default"]).endswith("--certify")
    plain = RankingRequest.check("default", "all", range(3))
    assert CLAIRVOYANT not in plain.scenarios[0].agents
    assert "--certify" not in plain.command(["default"])


def test_trained_agents_have_training_runs() -> None:
    assert training_runs("guard", CONFIG) == 0
    assert training_runs("learned", CONFIG) >= 1
    assert training_runs("learned", DMOE_PRESETS["digits-moe"]) >= 1
