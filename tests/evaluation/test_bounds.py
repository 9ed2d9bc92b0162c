"""Bounds are looked up, computed on request, kept, and missing for a reason."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from mec_moe_agents.evaluation import bounds
from mec_moe_agents.evaluation.bounds import Bounds, find_bounds, will_certify
from mec_moe_agents.evaluation.comparison import Listener
from mec_moe_agents.evaluation.store import CellStore

from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.config import Config
from mec_moe_env.core.buffers import Floats

CONFIG = OffloadingConfig(horizon=5)
SEEDS = range(4, 7)


class Certifier:
    """Certifies −seed, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.stops_at = -1

    def __call__(self, config: Config, seeds: Sequence[int]) -> Floats:
        if self.stops_at in seeds:
            raise KeyboardInterrupt
        self.asked += seeds
        return -np.array(seeds, dtype=np.float64)


@pytest.fixture
def certifier(monkeypatch: pytest.MonkeyPatch) -> Certifier:
    monkeypatch.setattr(bounds, "shipped_bounds", lambda config, seeds: None)
    certifier = Certifier()
    monkeypatch.setattr(bounds, "certified_bound", certifier)
    return certifier


def found(folder: Path, config: Config = CONFIG, *, certify: bool = True) -> Bounds:
    return find_bounds(config, SEEDS, CellStore(folder), "code", Listener(), certify=certify)


def test_offloading_is_certified_on_request_alone(certifier: Certifier, tmp_path: Path) -> None:
    assert found(tmp_path, certify=False) is bounds.UNKNOWN
    assert "--certify" in bounds.UNKNOWN.source
    assert certifier.asked == []
    certified = found(tmp_path)
    assert certified.source == "certified"
    np.testing.assert_array_equal(certified.values, [-4.0, -5.0, -6.0])


def test_dmoe_need_not_be_asked_for(certifier: Certifier, tmp_path: Path) -> None:
    assert found(tmp_path, DMoEConfig(), certify=False).values is not None


def test_an_interrupted_certification_goes_on(certifier: Certifier, tmp_path: Path) -> None:
    certifier.stops_at = 6
    with pytest.raises(KeyboardInterrupt):
        found(tmp_path)
    certifier.stops_at = -1
    assert found(tmp_path).values is not None
    assert certifier.asked == [4, 5, 6]
    assert found(tmp_path).values is not None
    assert certifier.asked == [4, 5, 6]


def test_what_is_shipped_is_not_computed(
    certifier: Certifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "shipped_bounds", lambda config, seeds: np.array([-1.0] * 3))
    assert not will_certify(CONFIG, SEEDS, certify=True)
    assert found(tmp_path).source == "shipped"
    assert certifier.asked == []


def test_what_nobody_proved_says_why(
    certifier: Certifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(config: Config, seeds: Sequence[int]) -> Floats:
        raise ValueError("gates = 'digits' depend on the actions")

    monkeypatch.setattr(bounds, "certified_bound", refuse)
    unknown = found(tmp_path)
    assert unknown.values is None
    assert unknown.source == "nothing is proved here (gates = 'digits' depend on the actions)"
