"""Task streams of the user's own: what they write is checked, and episodes do not touch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mec_moe_env import OffloadingConfig, OffloadingEnv, OffloadingVectorEnv, foresight
from mec_moe_env.core.autoreset import AutoresetMode
from mec_moe_env.offloading.sources import AHEAD, make_source
from mec_moe_env.tasks import Evaluator, TaskBatch, identity_evaluator
from mec_moe_env.tasks.checks import LARGEST, TaskCheck
from tests.environments.peers import sync_vector
from tests.environments.test_vector import assert_equal

N, D, K = 2, 3, 2
BROKEN = (np.nan, np.inf, -np.inf, 2 * LARGEST, -1e300)

broken = st.sampled_from(BROKEN)
seeds = st.integers(0, 2**32 - 1)


class Noise:
    """Random tasks on random truths; a test may write over what `draw` has written."""

    def __init__(self, quadratic: NDArray[np.float64] | None = None, heldout: int = 0) -> None:
        rng = np.random.default_rng(0)
        forms = np.empty((N, 0, 0)) if quadratic is None else quadratic
        labels = np.where(rng.random((N, heldout)) < 0.5, -1.0, 1.0)
        self.evaluator = Evaluator(forms, rng.standard_normal((N, heldout, D)), labels)
        self.sum_bound: Any = 20.0
        self.spoil: Callable[[NDArray[np.int64], TaskBatch], None] = lambda types, out: None
        self.left_out: str = ""

    def start_episode(self, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.standard_normal((N, D))

    def draw(self, rng: np.random.Generator, episode: Any, types: Any, out: TaskBatch) -> None:
        truths = episode[types]
        features = rng.standard_normal((len(types), D, K))
        values = {
            "features": features,
            "labels": np.einsum("udk,ud->uk", features, truths),
            "linear": truths,
            "constant": (truths**2).sum(axis=1),
        }
        for name, value in values.items():
            if name != self.left_out:
                getattr(out, name)[:] = value
        self.spoil(types, out)


def config_of(stream: object, **fields: Any) -> OffloadingConfig:
    fixed: dict[str, Any] = {
        "num_types": N,
        "feature_dim": D,
        "samples_per_task": K,
        "num_servers": 3,
    }
    return OffloadingConfig(tasks=stream, **fixed, **fields)


def play(env: Any, steps: int) -> list[Any]:
    """Return what `steps` steps of fixed random actions bring."""
    rng = np.random.default_rng(1)
    nvec, shape = env._simulator.nvec, env.action_space.shape
    return [env.step(rng.integers(nvec, size=shape)) for _ in range(steps)]


@pytest.mark.parametrize("vector", [False, True])
@given(data=st.data(), seed=seeds, bad=broken)
@settings(max_examples=60)
def test_a_bad_number_anywhere_is_named_and_a_reset_mends(
    vector: bool, data: st.DataObject, seed: int, bad: float
) -> None:
    stream = Noise()
    config = config_of(stream, num_tasks=2)
    env: Any = OffloadingVectorEnv(3, config) if vector else OffloadingEnv(config)
    fresh: Any = OffloadingVectorEnv(3, config) if vector else OffloadingEnv(config)
    env.reset(seed=seed)
    name = data.draw(st.sampled_from(TaskBatch._fields))
    task = data.draw(st.integers(0, 2 * AHEAD - 1))
    place = (task, *(data.draw(st.integers(0, size - 1)) for size in SHAPES[name]))
    failing = data.draw(st.integers(0, 2 if vector else 0))
    calls: list[int] = []

    def spoil(types: NDArray[np.int64], out: TaskBatch) -> None:
        if len(calls) == failing:
            getattr(out, name)[place] = bad
            message.append(f"Noise.draw: {name}{list(place)} = {bad} of a task of type")
            message.append(f"type {types[task]} is not allowed: every number must be written")
        calls.append(1)

    message: list[str] = []
    play(env, AHEAD - 1)
    stream.spoil = spoil
    with pytest.raises(ValueError, match="finite and at most 1e.30 in size") as caught:
        play(env, 1)
    assert all(part in str(caught.value) for part in message)
    with pytest.raises(RuntimeError, match="reset"):
        play(env, 1)
    stream.spoil = lambda types, out: None
    assert_equal(env.reset(seed=seed)[0], fresh.reset(seed=seed)[0], "reset")
    for mine, other in zip(play(env, AHEAD), play(fresh, AHEAD), strict=True):
        assert_equal(mine[0], other[0], "obs")
        np.testing.assert_array_equal(mine[1], other[1])


SHAPES: dict[str, tuple[int, ...]] = {
    "features": (D, K),
    "labels": (K,),
    "linear": (D,),
    "constant": (),
}


@pytest.mark.parametrize("name", TaskBatch._fields)
def test_an_array_left_unwritten_is_noticed_at_every_draw(name: str) -> None:
    stream = Noise()
    env = OffloadingEnv(config_of(stream))
    stream.left_out = name
    first = [0] * (1 + len(SHAPES[name]))
    with pytest.raises(ValueError, match=f"Noise.draw: {name}.* = nan") as caught:
        env.reset(seed=0)
    assert f"{name}{first}" in str(caught.value)
    stream.left_out = ""
    env.reset(seed=0)
    play(env, AHEAD - 1)
    stream.left_out = name
    with pytest.raises(ValueError, match=f"Noise.draw: {name}.* = nan"):
        play(env, 1)


def test_what_a_stream_does_with_its_arrays_later_harms_nobody() -> None:
    """It writes over the types it was given, and over tasks and evaluator once they are taken."""
    kept: list[TaskBatch] = []

    def keep(types: NDArray[np.int64], out: TaskBatch) -> None:
        types[:] = 10**9
        for array in (array for batch in kept for array in batch):
            array[:] = np.nan
        kept.append(out)

    plain, meddling = Noise(heldout=2), Noise(heldout=2)
    meddling.spoil = keep
    envs = [OffloadingVectorEnv(2, config_of(stream)) for stream in (plain, meddling)]
    for array in meddling.evaluator:
        array[:] = np.nan
    runs = []
    for env in envs:
        env.reset(seed=3)
        runs.append(play(env, 2 * AHEAD))
    for one, other in zip(*runs, strict=True):
        for part, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            assert_equal(mine, theirs, f"part {part}")


@pytest.mark.parametrize("bound", [0, 0.0, -1.0, 1e-40, 1e39, np.inf, np.nan, "3", None, True])
def test_bad_sum_bound(bound: object) -> None:
    stream = Noise()
    stream.sum_bound = bound
    with pytest.raises(ValueError, match=r"sum_bound = .* must be a number in \[1e-30, 1e\+30\]"):
        OffloadingEnv(config_of(stream))


@pytest.mark.parametrize("name", Evaluator._fields)
@given(data=st.data(), bad=broken)
@settings(max_examples=20)
def test_bad_number_in_the_evaluator(name: str, data: st.DataObject, bad: float) -> None:
    stream = Noise(np.tile(np.eye(D), (N, 1, 1)), heldout=4)
    array = getattr(stream.evaluator, name)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in array.shape)
    array[place] = bad
    with pytest.raises(ValueError, match="finite and at most 1e.30") as caught:
        make_source(config_of(stream), 1)
    assert f"evaluator.{name}{list(place)} = {bad} is not allowed" in str(caught.value)


@given(
    n=st.integers(0, N - 1),
    h=st.integers(0, 3),
    label=st.floats(-3, 3).filter(lambda label: label not in (-1, 0, 1)),
)
@settings(max_examples=20)
def test_heldout_labels_are_signs(n: int, h: int, label: float) -> None:
    stream = Noise(heldout=4)
    stream.evaluator.heldout_labels[n, h] = label
    with pytest.raises(ValueError, match="a label must be -1 or 1, or 0 after") as caught:
        make_source(config_of(stream), 1)
    assert f"evaluator.heldout_labels[{n}, {h}] = {label} is not" in str(caught.value)


def test_a_type_may_be_padded_but_not_empty() -> None:
    stream = Noise(heldout=4)
    stream.evaluator.heldout_labels[1, 1:] = 0.0
    make_source(config_of(stream), 1)
    stream.evaluator.heldout_labels[1] = 0.0
    with pytest.raises(ValueError, match=r"heldout_labels\[1\] has no label"):
        make_source(config_of(stream), 1)


def test_samples_without_features_are_refused() -> None:
    """Compiled code would look for them."""
    stream = Noise(heldout=4)
    stream.evaluator = stream.evaluator._replace(heldout_features=np.empty((N, 0, 0)))
    with pytest.raises(ValueError, match=r"heldout_features .* float64 of shape \(2, 4, 3\)"):
        make_source(config_of(stream), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quadratic": np.zeros((N, D))}, r"quadratic has .*\(2, 3, 3\) or \(2, 0, 0\)"),
        ({"quadratic": np.zeros((N, D, D), np.float32)}, "quadratic has dtype float32"),
        ({"quadratic": [[1.0]]}, "quadratic = .*NumPy array"),
        ({"heldout_labels": np.array(1.0)}, r"heldout_labels has .*shape \(\)"),
        ({"heldout_labels": np.ones((N + 1, 0))}, r"heldout_labels has .*\(2, any\)"),
    ],
)
def test_evaluators_of_another_shape(changes: dict[str, Any], message: str) -> None:
    stream = Noise()
    stream.evaluator = stream.evaluator._replace(**changes)
    with pytest.raises(ValueError, match=f"evaluator.{message}"):
        make_source(config_of(stream), 1)


def test_an_evaluator_of_another_kind() -> None:
    stream: Any = Noise()
    stream.evaluator = tuple(stream.evaluator)
    with pytest.raises(TypeError, match="must be a mec_moe_env.tasks.Evaluator"):
        make_source(config_of(stream), 1)


def form_of(rng: np.random.Generator, rank: int, scale: float, spread: float) -> Any:
    """Return a random A of a rank, its nonzero eigenvalues from scale·10^−spread to scale."""
    basis = np.linalg.qr(rng.standard_normal((5, 5)))[0][:, :rank]
    values = scale * 10.0 ** -np.linspace(0, spread, rank)
    return basis @ np.diag(values) @ basis.T, basis


scales = st.integers(-12, 12).map(lambda power: 10.0**power)


@given(seed=seeds, rank=st.integers(0, 5), scale=scales, spread=st.integers(0, 12))
@settings(max_examples=200)
def test_tasks_of_real_data_pass_whatever_their_second_moments(
    seed: int, rank: int, scale: float, spread: int
) -> None:
    """With A = E[xxᵀ], b = E[xy] and c = E[y²] no error is negative, and often one is 0."""
    rng = np.random.default_rng(seed)
    form, _ = form_of(rng, rank, scale, spread)
    model = rng.standard_normal(5)
    linear, constant = form @ model, model @ form @ model
    for surplus in (0.0, 1e-3, 1.0):
        judge(form, linear, constant * (1 + surplus))


def judge(form: NDArray[np.float64], linear: NDArray[np.float64], constant: float) -> None:
    """Check one task of the second of two types; the first is judged by the identity."""
    check = TaskCheck(Noise(), np.stack([np.eye(5), form]))
    batch = TaskBatch(np.zeros((1, 5, 1)), np.zeros((1, 1)), linear[None], np.array([constant]))
    check(np.array([1]), batch)


@given(
    seed=seeds, rank=st.integers(1, 5), scale=scales, share=st.sampled_from((0.0, 0.5, 0.9, 0.999))
)
@settings(max_examples=60)
def test_a_negative_error_is_refused(seed: int, rank: int, scale: float, share: float) -> None:
    """The best model of A w = b has the error c − bᵀw: for a smaller c it would be below 0."""
    rng = np.random.default_rng(seed)
    form, _ = form_of(rng, rank, scale, 3)
    model = rng.standard_normal(5)
    with pytest.raises(ValueError, match=r"Noise.draw: constant\[0\] = .* of type 1 .*negative"):
        judge(form, form @ model, share * (model @ form @ model) - 1e-9 * scale)


@given(seed=seeds, rank=st.integers(0, 4), scale=scales)
@settings(max_examples=60)
def test_linear_terms_outside_the_range_are_refused(seed: int, rank: int, scale: float) -> None:
    """Along what A does not see the error falls without end."""
    rng = np.random.default_rng(seed)
    form, basis = form_of(rng, rank, scale, 3)
    model, outside = rng.standard_normal((2, 5))
    outside -= basis @ (basis.T @ outside)
    assume(np.linalg.norm(outside) > 1e-2)
    linear = form @ model + scale * outside
    with pytest.raises(ValueError, match="must be in the range of A"):
        judge(form, linear, 10 * (model @ form @ model + scale))


@given(seed=seeds, scale=scales, size=st.integers(-6, 0).map(lambda power: 10.0**power))
@settings(max_examples=60)
def test_forms_that_are_not_symmetric_positive_semidefinite(
    seed: int, scale: float, size: float
) -> None:
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((D, D)))[0]
    form = scale * basis @ np.diag([1.0, 0.5, -size]) @ basis.T
    form = (form + form.T) / 2
    least = f"{np.linalg.eigvalsh(form)[0]:.6g}"
    stream = Noise(np.stack([np.eye(D), form]))
    with pytest.raises(ValueError, match=r"quadratic\[1\] .*semidefinite") as caught:
        OffloadingEnv(config_of(stream))
    assert least in str(caught.value)
    lopsided = scale * np.eye(D)
    lopsided[0, 2] += size * scale
    stream = Noise(np.stack([lopsided, np.eye(D)]))
    with pytest.raises(ValueError, match=r"quadratic\[0\] .*must be symmetric"):
        OffloadingEnv(config_of(stream))


@pytest.mark.parametrize("scenario", ["digits", "default", "toy"])
def test_built_in_streams_would_pass(scenario: str) -> None:
    env = OffloadingEnv(scenario)
    seen = foresight(env.config, seed=0)
    evaluator = env._simulator.source.evaluator
    features = seen.features.swapaxes(-1, -2)
    parts = (features, seen.labels, seen.linear, seen.constant)
    count = seen.types.size
    batch = TaskBatch(*(part.reshape(count, *part.shape[2:]) for part in parts))
    TaskCheck(env, evaluator.quadratic)(seen.types.reshape(-1), batch)


@given(seed=seeds, steps=st.integers(0, 2 * AHEAD + 3))
@settings(max_examples=25)
def test_the_next_episode_does_not_depend_on_where_the_last_was_left(seed: int, steps: int) -> None:
    for tasks in (Noise(), "synthetic"):
        left, done = (OffloadingEnv(config_of(tasks)) for _ in range(2))
        left.reset(seed=seed)
        done.reset(seed=seed)
        play(left, steps)
        for _ in range(2):
            assert_equal(left.reset()[0], done.reset()[0], "next episode")
            for mine, other in zip(play(left, AHEAD + 1), play(done, AHEAD + 1), strict=True):
                assert_equal(mine[0], other[0], "obs")


def test_an_episode_is_new_and_its_draws_are_new() -> None:
    env = OffloadingEnv(config_of(Noise()))
    first, _ = env.reset(seed=0)
    tasks = [first["task"]] + [step[0]["task"] for step in play(env, 2 * AHEAD)]
    tasks.append(env.reset()[0]["task"])
    assert len(np.unique(np.stack(tasks), axis=0)) == len(tasks)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_equals_sync_vector_env(mode: AutoresetMode) -> None:
    config = config_of(Noise(np.tile(np.eye(D), (N, 1, 1)), heldout=3), horizon=40)
    ours: Any = OffloadingVectorEnv(3, config, autoreset_mode=mode)
    theirs: Any = sync_vector([lambda: OffloadingEnv(config)] * 3, mode)
    theirs.action_space.seed(0)
    for mine, other in zip(ours.reset(seed=9), theirs.reset(seed=9), strict=True):
        assert_equal(mine, other, "reset")
    for step in range(100):
        action = theirs.action_space.sample()
        for mine, other in zip(ours.step(action), theirs.step(action), strict=True):
            assert_equal(mine, other, f"step {step}")


def test_the_evaluator_of_the_identity_is_admitted() -> None:
    stream = Noise()
    stream.evaluator = identity_evaluator(N)
    make_source(config_of(stream), 1)


def test_foresight_sees_what_an_own_stream_will_draw() -> None:
    """Of an episode under way too, which goes on undisturbed."""
    config = config_of(Noise(), horizon=AHEAD + 20)
    env = OffloadingEnv(config)
    env.reset(seed=5)
    play(env, 8)
    whole, rest = foresight(config, seed=5), foresight(env)
    np.testing.assert_array_equal(rest.labels, whole.labels[8:])
    for labels in rest.labels:
        np.testing.assert_array_equal(env._simulator.exogenous.labels[0], labels)
        play(env, 1)
