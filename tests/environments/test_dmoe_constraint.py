"""No avoidable violation pays: the reward's optimum over all actions of small layers.

Every set of experts for every token, each with the cheapest assignment of subcarriers to its links
(C3); what they bring is worked out by the tests' oracle, and the best is played in the environment.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mec_moe_env import DMoEEnv
from mec_moe_env.moe.trace import save_gate_trace
from tests.environments.dmoe_reference import (
    Token,
    charged_joules,
    missed_shares,
    reference_joules,
    reserves,
    state_joules,
    wanted_by,
)

Sets = dict[Token, tuple[int, ...]]


def expert_sets(env: DMoEEnv) -> Iterator[Sets]:
    """Yield every way to give each token up to D available experts."""
    I, Q, D = env.config.expert_shape
    usable = np.flatnonzero(env._simulator.exogenous.nodes["available"][0]).tolist()
    sets = [each for size in range(D + 1) for each in itertools.combinations(usable, size)]
    tokens = list(np.ndindex(I, Q))
    for choice in itertools.product(sets, repeat=len(tokens)):
        yield dict(zip(tokens, choice, strict=True))


def best_action(env: DMoEEnv) -> tuple[float, np.ndarray]:
    """Return the highest reward of the coming layer, and an action that brings it."""
    config, now = env.config, env._simulator.exogenous
    I, _, D = config.expert_shape
    K, layer = config.num_nodes, env._simulator.state.layer[0]
    costs = {(i, j): state_joules(env, i, j) for i, j in np.ndindex(I, K)}
    reserve, joules = reserves(env), now.nodes["joules"][0]
    assigned: dict[tuple[int, ...], tuple[float, np.ndarray]] = {}
    best = np.inf, np.empty(0)
    for sets in expert_sets(env):
        states = np.zeros((I, K), int)
        for (i, _), experts in sets.items():
            states[i, list(experts)] += 1
        key = tuple(states.ravel())
        if key not in assigned:
            assigned[key] = assign(states, costs)
        sent, links = assigned[key]
        relevance = {
            token: float(sum(now.gates[0, layer][token][j] for j in experts))
            for token, experts in sets.items()
        }
        computed = float(states.sum(axis=0) @ joules)
        charged = charged_joules(missed_shares(env, relevance), reserve)
        loss = config.energy_weight * (sent + computed) + config.error_weight * charged
        if loss < best[0]:
            picks = [[*experts, *[K] * (D - len(experts))] for experts in sets.values()]
            best = loss, np.concatenate([np.ravel(picks), links.ravel()])
    return -best[0] / reference_joules(env), best[1]


def assign(
    states: np.ndarray, costs: dict[tuple[int, int], np.ndarray]
) -> tuple[float, np.ndarray]:
    """Return the least joules of sending the states, (I, K), and each link's subcarrier.

    +inf where links outnumber subcarriers.
    """
    links = np.zeros_like(states)
    used = [(i, j) for i, j in zip(*np.nonzero(states), strict=True) if i != j]
    if not used:
        return 0.0, links
    if len(used) > costs[used[0]].size:
        return np.inf, links
    table = np.array([states[link] * costs[link] for link in used])
    rows, subcarriers = linear_sum_assignment(table)
    for row, s in zip(rows, subcarriers, strict=True):
        links[used[row]] = s
    return float(table[rows, subcarriers].sum()), links


def small_layers(count: int, scarce: bool = False, **options: Any) -> Iterator[DMoEEnv]:
    """Yield environments before their first layer: K ≤ 3, I ≤ 2, Q ≤ 2, D ≤ 2.

    L ≤ S ≤ L + 1, or S < L where subcarriers are scarce.
    """
    rng = np.random.default_rng(0)
    for seed in range(count):
        K, Q, D = (int(number) for number in rng.integers((2, 1, 1), (4, 3, 3)))
        I = int(rng.integers(1, 3))
        links, extra = min(I * (K - 1), I * Q * D), int(rng.integers(2))
        if scarce and links == 1:
            continue
        env = DMoEEnv(
            num_nodes=K,
            num_sources=I,
            tokens_per_source=Q,
            max_experts=D,
            num_subcarriers=int(rng.integers(1, links)) if scarce else links + extra,
            importance=float(rng.uniform(0.3, 1.0)),
            area_m=float(rng.choice([200.0, 2000.0])),
            count_backward=bool(rng.integers(2)),
            failure_rate=float(rng.choice([0.0, 0.3])),
            **options,
        )
        env.reset(seed=seed)
        yield env


def test_no_optimum_violates_what_can_be_reached() -> None:
    for env in small_layers(150):
        reward, action = best_action(env)
        _, played, _, _, info = env.step(action)
        assert played == pytest.approx(reward, rel=1e-9, abs=1e-12)
        assert info["cost"] == info["violated"] == info["shortfall"] == 0.0
        assert info["reward_error"] == 0.0
        assert info["dropped_picks"] == 0


def test_with_too_few_subcarriers_no_optimum_leaves_what_could_be_mended() -> None:
    violated = 0
    for env in small_layers(150, scarce=True):
        reward, action = best_action(env)
        served, missed = who_is_served(env, action), shares_missed(env, action)
        short = [token for token, share in missed.items() if share > 0.0]
        assert not any(can_be_mended(env, served, token) for token in short)
        _, played, _, _, info = env.step(action)
        assert played == pytest.approx(reward, rel=1e-9, abs=1e-12)
        assert info["cost"] == len(short)
        violated += bool(short)
    assert violated > 20


def who_is_served(env: DMoEEnv, action: np.ndarray) -> Sets:
    """Return the experts that an action without a dropped pick gives each token."""
    I, Q, D = env.config.expert_shape
    picks = action[: I * Q * D].reshape(I, Q, D)
    K = env.config.num_nodes
    return {token: tuple(int(j) for j in picks[token] if j < K) for token in np.ndindex(I, Q)}


def shares_missed(env: DMoEEnv, action: np.ndarray) -> dict[Token, float]:
    """Return m_q of every token under an action without a dropped pick."""
    gates = env._simulator.exogenous.gates[0, env._simulator.state.layer[0]]
    served = who_is_served(env, action)
    relevance = {token: float(gates[token][list(js)].sum()) for token, js in served.items()}
    return missed_shares(env, relevance)


def can_be_mended(env: DMoEEnv, served: Sets, token: Token) -> bool:
    """Say whether a token could have its Top-D beside all that the others use."""
    others = {
        (i, j) for (i, q), experts in served.items() if (i, q) != token for j in experts if i != j
    }
    source = token[0]
    wanted = {(source, j) for j in wanted_by(env, token)[1] if j != source}
    return len(wanted - others) <= env.config.num_subcarriers - len(others)


def test_no_optimum_violates_where_constraints_weigh_more_than_energy() -> None:
    for env in small_layers(40, error_weight=3.0, energy_weight=0.5):
        _, action = best_action(env)
        assert env.step(action)[4]["cost"] == 0.0


def test_a_low_price_is_paid() -> None:
    violated = 0
    for env in small_layers(40, error_weight=0.02):
        reward, action = best_action(env)
        _, played, _, _, info = env.step(action)
        assert played == pytest.approx(reward, rel=1e-9, abs=1e-12)
        violated += info["cost"] > 0.0
    assert violated > 20


def idle(env: DMoEEnv) -> np.ndarray:
    I, Q, D = env.config.expert_shape
    links = [0] * (I * env.config.num_nodes)
    return np.array([env.config.num_nodes] * (I * Q * D) + links)


def test_where_nobody_can_be_served_nothing_is_charged() -> None:
    env = DMoEEnv(failure_rate=1.0, repair_rate=1e-12)
    env.reset(seed=0)
    for action in (idle(env), np.zeros_like(idle(env))):
        _, reward, _, _, info = env.step(action)
        assert reward == info["cost"] == info["reward_energy"] == 0.0


def test_nothing_is_wanted_at_threshold_zero() -> None:
    env = DMoEEnv(qos=0.0)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(idle(env))
    assert reward == info["cost"] == 0.0


def test_where_the_best_cost_nothing_joules_count_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    save_gate_trace(path, np.eye(2, dtype=np.float32)[np.newaxis, np.newaxis])
    env = DMoEEnv(
        gates="trace",
        data_path=str(path),
        num_nodes=2,
        tokens_per_source=1,
        num_layers=1,
        max_experts=1,
        compute_joules=(0.0, 0.0),
    )
    for seed in range(3):
        env.reset(seed=seed)
        gates = env._simulator.exogenous.gates[0, 0, :, 0]
        own, other = gates.argmax(axis=1), 1 - gates.argmax(axis=1)
        _, reward, _, _, info = env.step(np.array([*other, 0, 0, 1, 0]))
        if own.tolist() == [0, 1]:
            assert info["cost"] == 2.0
            assert reward == info["reward_energy"] == -info["energy_j"] < 0.0
            break
    else:
        pytest.fail("no batch had every token at home")


@pytest.mark.parametrize("options", [{"num_subcarriers": 1}, {"deadline_seconds": 0.01}])
def test_rewards_are_finite_where_the_proof_does_not_reach(options: dict[str, Any]) -> None:
    env = DMoEEnv(area_m=5000.0, max_experts=6, **options)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(env.config.num_layers):
        reward = env.step(np.asarray(rng.integers(env.action_space.nvec)))[1]
        assert np.isfinite(reward)
        assert reward < 0.0


def test_nothing_that_rewards_are_measured_by_depends_on_actions() -> None:
    rng = np.random.default_rng(0)
    first, second = (DMoEEnv(count_backward=True, failure_rate=0.2) for _ in range(2))
    first.reset(seed=3)
    second.reset(seed=3)
    for _ in range(first.config.num_layers):
        assert reserves(first) == reserves(second)
        ratios = []
        for env in (first, second):
            info = env.step(np.asarray(rng.integers(env.action_space.nvec)))[4]
            ratios.append(info["reward_energy"] / info["energy_j"])
        assert ratios[0] == pytest.approx(ratios[1])
