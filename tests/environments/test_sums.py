"""Error sums against exactly rounded ones: as good after a million tasks as after ten."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec_moe_env import OffloadingEnv
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import lean_kernel
from mec_moe_env.core.sums import rounding_of

SCALES = (1e-6, 1.0, 1e6)
ACCURACY = 1e-14
"""Of E_T, as a share of what rejecting everything would have cost."""
MILLION = 10**6

numbers = st.floats(-1e150, 1e150)


@lean_kernel
def add_up(summands: Floats, out: Floats) -> None:
    """Write the sum of the summands, what rounding took from it, and no more, to `out`, (2,)."""
    for index in range(summands.shape[0]):
        out[1] += rounding_of(out[0], summands[index])
        out[0] += summands[index]


@given(total=numbers, summand=numbers)
def test_what_rounding_takes_is_known_exactly(total: float, summand: float) -> None:
    rest = rounding_of(total, summand)
    assert Fraction(total + summand) + Fraction(rest) == Fraction(total) + Fraction(summand)


@pytest.mark.parametrize("scale", SCALES)
def test_a_sum_of_a_million_is_exactly_rounded(scale: float) -> None:
    mixed = scale * np.random.default_rng(0).lognormal(sigma=3.0, size=MILLION)
    for summands in (mixed, np.full(MILLION, scale / 3), mixed - mixed.mean()):
        out = np.zeros(2)
        add_up(summands, out)
        exact, size = math.fsum(summands), math.fsum(np.abs(summands))
        assert abs(out.sum() - exact) <= 3e-16 * abs(exact) + 1e-20 * size
        assert abs(out[0] - exact) > 10 * abs(out.sum() - exact)


def error_and_reference(scale: float, horizon: int) -> tuple[float, float, float]:
    """Return E_T, the same from exactly rounded sums, and Σ c, of three servers picked in turn.

    All tasks are of one type with one truth, so that rounding errors do not cancel.
    """
    env = OffloadingEnv(
        num_servers=3,
        num_types=1,
        feature_dim=3,
        max_delay=1,
        type_jitter=0.0,
        horizon=horizon,
        truth_scale=0.6 * scale,
        noise_scale=0.1 * scale,
        max_experts=3,
    )
    env.reset(seed=0)
    tasks = env._simulator.exogenous
    constants, linear, served = np.empty(horizon), np.empty((horizon, 3)), np.empty(horizon, int)
    for t in range(horizon):
        constants[t], linear[t] = tasks.tasks["constant"][0, 0], tasks.linear[0, 0]
        # Of one, two or three experts, so that shares are not exact; now and then of none.
        served[t] = 0 if t % 7 == 0 else 1 + t % 3
        action = [number for m in range(3) for number in (m if m < served[t] else 3, m)]
        info = env.step(np.array(action))[4]
        served[t] = 3 - action[::2].count(3)
    assert info["lost"] == info["dropped_picks"] == 0
    models = env.expert_models()
    exact = Fraction(math.fsum(constants[served == 0]))
    for m in range(3):
        mine = served > m
        shares = 1.0 / served[mine]
        model = [Fraction(value) for value in models[m]]
        exact += Fraction(math.fsum(shares * constants[mine]))
        exact += Fraction(math.fsum(shares)) * sum(value * value for value in model)
        for f, value in enumerate(model):
            exact -= 2 * Fraction(math.fsum(shares * linear[mine, f])) * value
    return info["generalization_error"] * horizon, float(exact), math.fsum(constants)


def error_with_rests(rests: Floats) -> tuple[float, Floats]:
    """Return the error of two tasks on one server, with more that rounding took, and its model.

    Args:
        rests: what is added to that of Σ c, of Σ w, and of Σ b, (2 + d,).
    """
    env = OffloadingEnv(num_servers=1, num_types=1, feature_dim=3, max_delay=1, horizon=2)
    env.reset(seed=3)
    env.step(np.array([0, 0]))
    state = env._simulator.state
    state.servers["constant_rest"][0, 0] += rests[0]
    state.weight_rest[0, 0, 0] += rests[1]
    state.linear_rest[0, 0] += rests[2:]
    info = env.step(np.array([0, 1]))[4]
    assert info["lost"] == 0
    return info["generalization_error"] * 2, env.expert_models()[0]


def test_what_rounding_took_is_made_good() -> None:
    error, model = error_with_rests(np.zeros(5))
    rests = np.array([0.25, 0.5, 1.0, -2.0, 4.0])
    more = rests[0] - 2.0 * rests[2:] @ model + rests[1] * model @ model
    assert error_with_rests(rests)[0] - error == pytest.approx(more, rel=1e-12)


@pytest.mark.parametrize("scale", SCALES)
def test_errors_are_accurate_at_every_scale(scale: float) -> None:
    found, exact, stake = error_and_reference(scale, 4000)
    # Without the rests it is off by 8 to 40·10⁻¹⁵.
    assert abs(found - exact) <= 0.2 * ACCURACY * stake


@pytest.mark.slow
@pytest.mark.parametrize("scale", SCALES)
def test_errors_are_accurate_after_a_million_tasks(
    scale: float, request: pytest.FixtureRequest
) -> None:
    if "slow" not in request.config.getoption("markexpr"):
        pytest.skip("slow: run with -m slow")
    found, exact, stake = error_and_reference(scale, MILLION)
    assert abs(found - exact) <= ACCURACY * stake
