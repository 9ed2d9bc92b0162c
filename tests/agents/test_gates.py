"""Traditional schedulers and the greedy oracle choose what their names say."""

import numpy as np
from mec_moe_agents import evaluate
from mec_moe_agents.offloading.gates import GreedyOracleGate, MostPowerfulGate, NearestGate
from numpy.typing import NDArray

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from tests.agents.slots import make_slot

CONFIG = OffloadingConfig(num_servers=3, num_subcarriers=2, feature_dim=2, samples_per_task=1)


class KnownTruth:
    """An environment whose future is given."""

    def __init__(self, increments: list[float], rejection: float) -> None:
        self.increments, self.rejection = increments, rejection

    def error_increments(self) -> NDArray[np.float64]:
        return np.array([[self.increments]])

    def rejection_errors(self) -> NDArray[np.float64]:
        return np.array([[self.rejection]])


def test_nearest_is_the_origin_then_the_best_heard() -> None:
    slot = make_slot()
    slot.spectral_efficiency[0, 0] = [[1.0, 1.0], [3.0, 4.0], [9.0, 1.0]]
    relevance = NearestGate().relevance(1, slot)[0, 0]
    assert relevance.argsort()[::-1].tolist() == [0, 2, 1]


def test_most_powerful_is_the_fastest() -> None:
    slot = make_slot()
    slot.compute[0, :, 1] = [0.02, 0.01, 0.03]
    assert MostPowerfulGate().relevance(1, slot)[0, 0].argmax() == 1


def test_oracle_takes_the_cheapest_consequence() -> None:
    truth = KnownTruth([3.0, 0.5, np.inf], rejection=2.0)
    relevance = GreedyOracleGate(CONFIG, truth).relevance(1, make_slot())[0, 0]
    assert relevance.argmax() == 1


def test_oracle_rejects_when_even_a_third_of_the_harm_costs_more() -> None:
    truth = KnownTruth([5.9, 6.1, 50.0], rejection=2.0)
    config = CONFIG.override(energy_weight=0.0, delay_weight=0.0)
    relevance = GreedyOracleGate(config, truth).relevance(1, make_slot())[0, 0]
    assert relevance.tolist() == [-5.9, -np.inf, -np.inf]


def test_oracle_knows_no_error_when_errors_weigh_nothing() -> None:
    truth = KnownTruth([1.0, 1.0, np.inf], rejection=2.0)
    config = CONFIG.override(error_weight=0.0)
    assert GreedyOracleGate(config, truth).relevance(1, make_slot())[0, 0].tolist() == [-np.inf] * 3


def test_the_order_of_the_first_paper() -> None:
    """Gating learns, tradition does not, profiles know more, and the oracle's return is highest."""
    config = OFFLOADING_PRESETS["default"]
    names = ("nearest", "gating", "guard", "greedy-oracle")
    returns = [evaluate(name, config, range(10)).metrics["return"].mean() for name in names]
    assert returns == sorted(returns)
