"""Task streams: what they draw, and what they refuse."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mec_moe_env import OffloadingConfig, OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.core.kernels import kernel
from mec_moe_env.core.rng import NormalScratch, Randomness, Streams
from mec_moe_env.offloading.arrivals import draw_types, make_process, make_workspace
from mec_moe_env.offloading.sources import AHEAD
from mec_moe_env.tasks import Evaluator, TaskBatch, identity_evaluator
from mec_moe_env.tasks.images import (
    CLASS_PAIRS,
    ImageTables,
    draw_image_task,
    load_digits_split,
    make_image_tasks,
)
from mec_moe_env.tasks.mnist import IDX_NAMES, NPZ_NAMES, read_idx, read_mnist
from mec_moe_env.tasks.synthetic import (
    SyntheticTables,
    draw_synthetic_task,
    draw_truths,
    expected_truth,
    make_synthetic,
    synthetic_bound,
)
from tests.conftest import fake_mnist

FIRST = np.zeros(1, np.int64)


@kernel
def draw_synthetic(
    streams: Streams,
    tables: SyntheticTables,
    types: NDArray[np.int64],
    numbers: NormalScratch,
    out: TaskBatch,
) -> None:
    draw_truths(streams, tables, 0, numbers)
    for b in range(types.shape[0]):
        out.constant[b] = draw_synthetic_task(
            streams, tables, 0, types[b], numbers, out.features[b], out.labels[b], out.linear[b]
        )


@kernel
def draw_images(
    streams: Streams,
    tables: ImageTables,
    types: NDArray[np.int64],
    chosen: NDArray[np.int64],
    out: TaskBatch,
) -> None:
    for b in range(types.shape[0]):
        draw_image_task(
            streams, tables, types[b], chosen, out.features[b], out.labels[b], out.linear[b]
        )
        out.constant[b] = 1.0


def draw(
    tables: SyntheticTables | ImageTables, config: OffloadingConfig, types: list[int]
) -> TaskBatch:
    """Draw tasks of the given types for a single sub-environment."""
    count, d, k = len(types), config.feature_dim, config.samples_per_task
    shapes = ((k, d), (k,), (d,), ())
    out = TaskBatch(*(np.empty((count, *shape)) for shape in shapes))
    randomness, work = Randomness(1), make_workspace(config)
    randomness.begin(FIRST, [np.random.default_rng(0)])
    streams = randomness.streams[0]
    if isinstance(tables, SyntheticTables):
        draw_synthetic(streams, tables, np.array(types), work.numbers, out)
    else:
        draw_images(streams, tables, np.array(types), work.chosen, out)
    return out._replace(features=out.features.transpose(0, 2, 1))


def test_synthetic_tasks_follow_definition_1() -> None:
    config = OffloadingConfig(num_types=4, noise_scale=0.1)
    types = np.arange(4000) % 4
    tables = make_synthetic(config, num_envs=1)
    tasks = draw(tables, config, types.tolist())
    models, signals = tables.models[0], tables.signals[0]
    np.testing.assert_allclose(signals @ signals.T, 10 * np.eye(4), atol=1e-9)
    np.testing.assert_allclose(
        tasks.labels, np.einsum("udk,ud->uk", tasks.features, tasks.linear), atol=1e-12
    )
    assert np.abs(tasks.linear - models[types]).max() <= 0.05
    np.testing.assert_allclose(tasks.constant, (tasks.linear**2).sum(axis=1))
    strength = (tasks.features[:, :, 0] / signals[types]).mean(axis=1)
    assert 0.5 < strength.min() < 0.51
    assert 0.99 < strength.max() <= 1.0
    assert tasks.features[:, :, 1:].std() == pytest.approx(0.1, rel=0.01)


def test_truths_and_noise_on_spheres() -> None:
    config = OffloadingConfig(truth_law="sphere", noise_law="sphere", type_jitter=0.0)
    tables = make_synthetic(config, num_envs=1)
    tasks = draw(tables, config, [0, 1, 2, 3] * 50)
    np.testing.assert_allclose(np.linalg.norm(tables.models[0], axis=1), 0.6)
    np.testing.assert_allclose(np.linalg.norm(tasks.features[:, :, 1:], axis=1), 0.1)
    np.testing.assert_array_equal(tasks.linear, np.tile(tables.models[0], (50, 1)))


def test_a_truth_of_a_cluster_is_near_the_one_it_was_made_from() -> None:
    fields: dict[str, Any] = {"truth_clusters": 3, "cluster_spread": 0.01}
    config = OffloadingConfig(num_types=300, truth_law="sphere", **fields)
    tables = make_synthetic(config, num_envs=1)
    draw(tables, config, [0])
    truths = tables.models[0]
    np.testing.assert_allclose(np.linalg.norm(truths[:3], axis=1), 0.6)
    assert (truths[3:] - truths[:-3]).std() == pytest.approx(0.01, rel=0.05)  # 3.8 s.e.
    # Type n is n // K offsets away: 0.36 and 10·0.01² for each, 49.5 on the average.
    assert expected_truth(config) == pytest.approx(0.36 + 10 * 1e-4 * 49.5)
    assert (truths**2).sum(axis=1).mean() == pytest.approx(expected_truth(config), rel=0.35)


def test_signals_along_the_truths() -> None:
    config = OffloadingConfig(
        signal_direction="parallel", signal_norm=6.0, signal_strength=(0.25, 0.75), type_jitter=0.0
    )
    tables = make_synthetic(config, num_envs=1)
    tasks = draw(tables, config, [0, 1, 2, 3] * 500)
    directions = tasks.linear / np.linalg.norm(tasks.linear, axis=1, keepdims=True)
    strength = (tasks.features[:, :, 0] * directions).sum(axis=1) / 6.0
    np.testing.assert_allclose(tasks.features[:, :, 0], 6.0 * strength[:, None] * directions)
    assert 0.25 < strength.min() < 0.26
    assert 0.74 < strength.max() <= 0.75
    assert np.abs(tasks.features.sum(axis=2)).max() <= synthetic_bound(config)


def test_features_of_a_lower_rank() -> None:
    config = OffloadingConfig(feature_rank=4, samples_per_task=7, num_types=3)
    tables = make_synthetic(config, num_envs=1)
    tasks = draw(tables, config, [0, 1, 2] * 100)
    np.testing.assert_allclose(tables.signals[0] @ tables.signals[0].T, 10 * np.eye(3), atol=1e-9)
    assert not tables.models[0, :, 4:].any()
    assert not tasks.linear[:, 4:].any()
    X = tasks.features
    signals = tables.signals[0, np.arange(300) % 3]
    overlap = np.abs(np.einsum("udk,ud->uk", X, signals))
    places = overlap.argmax(axis=1)
    assert np.bincount(places, minlength=7).min() > 20  # of 43 expected, s.e. 6
    ratios = X[:, 4:] / X[:, :6]
    np.testing.assert_allclose(ratios, ratios[:, :, :1] + 0 * ratios, rtol=1e-9)
    scale = np.where(places[:, None] == np.arange(6), 1e-5, 1e-3)
    # Coordinates 8 and 9 are multiples of 4 and 5, which are multiples themselves.
    np.testing.assert_allclose((ratios[:, :, 0] / scale).std(), 1.0, rtol=0.1)


def test_more_types_than_dimensions_have_unit_directions() -> None:
    config = OffloadingConfig(num_types=30)
    tables = make_synthetic(config, num_envs=1)
    draw(tables, config, [0])
    signals = tables.signals[0]
    np.testing.assert_allclose((signals**2).sum(axis=1), 10.0)


def test_frequencies_and_persistence() -> None:
    blocks = np.empty((1, 40_000, 1), np.int64)
    randomness = Randomness(1)
    randomness.begin(FIRST, [np.random.default_rng(0)])
    config = OffloadingConfig(num_types=3, type_frequencies=(1.0, 3.0, 6.0), type_persistence=0.5)
    process = make_process(config, num_envs=1)
    process.memory["last_type"] = -1
    draw_types(process, randomness.streams, FIRST, blocks)
    types = blocks.reshape(-1)
    frequency = np.bincount(types) / len(types)
    # Bursts thrice the variance: standard errors up to 0.0042, so four of them.
    np.testing.assert_allclose(frequency, [0.1, 0.3, 0.6], atol=0.017)
    repeats = (types[1:] == types[:-1]).mean()
    assert repeats == pytest.approx(0.5 + 0.5 * (0.01 + 0.09 + 0.36), abs=0.015)


def test_digits_are_split_and_centred() -> None:
    images = load_digits_split()
    assert len(images.train) + len(images.heldout) == 1797
    np.testing.assert_allclose(images.train.mean(axis=0), 0, atol=1e-12)
    assert np.abs(images.train).max() <= 1


def test_digit_tasks_are_real_images_with_their_labels() -> None:
    config = OffloadingConfig(tasks="digits", num_types=5, feature_dim=64, samples_per_task=16)
    images = load_digits_split()
    tables, _ = make_image_tasks(config, images)
    tasks = draw(tables, config, [0, 3, 4])
    pairs = zip(images.train, images.train_classes, strict=True)
    known = {image.tobytes(): digit for image, digit in pairs}
    for u, task_type in enumerate([0, 3, 4]):
        digits = [known[tasks.features[u, :, i].copy().tobytes()] for i in range(16)]
        negative, positive = CLASS_PAIRS[task_type]
        assert set(digits) == {negative, positive}
        np.testing.assert_array_equal(
            tasks.labels[u], np.where(np.array(digits) == positive, 1, -1)
        )
        assert len(np.unique(tasks.features[u], axis=1).T) == 16


def test_heldout_error_is_the_squared_loss() -> None:
    config = OffloadingConfig(tasks="digits", num_types=12, feature_dim=64, samples_per_task=4)
    tables, evaluator = make_image_tasks(config, load_digits_split())
    tasks = draw(tables, config, list(range(12)))
    model = np.random.default_rng(1).standard_normal(64)
    for n in range(12):
        real = evaluator.heldout_labels[n] != 0
        features, labels = evaluator.heldout_features[n][real], evaluator.heldout_labels[n][real]
        loss = ((features @ model - labels) ** 2).mean()
        form = model @ evaluator.quadratic[n] @ model - 2 * tasks.linear[n] @ model
        assert form + tasks.constant[n] == pytest.approx(loss)


def test_transformed_types_are_rotations_of_the_same_pairs() -> None:
    config = OffloadingConfig(tasks="digits", num_types=10, feature_dim=64, samples_per_task=4)
    _, evaluator = make_image_tasks(config, load_digits_split())
    for n in range(5):
        first, second = evaluator.heldout_features[n], evaluator.heldout_features[n + 5]
        np.testing.assert_allclose(first @ first.T, second @ second.T, atol=1e-9)
        assert not np.allclose(first, second)


def test_accuracy_is_that_of_the_server_that_learned() -> None:
    env = OffloadingEnv("digits", horizon=30, failure_rate=0.0)
    env.reset(seed=0)
    accuracy = []
    for _ in range(30):
        action = np.array([0 if env.action_masks()[0] else 12, 0])
        accuracy.append(env.step(action)[4]["accuracy"])
    assert 0.4 < accuracy[-1] < 1.0


class Constant:
    """A stream of one's own: every task is the same."""

    sum_bound = 3.0

    @property
    def evaluator(self) -> Evaluator:
        return identity_evaluator(2)

    def start_episode(self, rng: np.random.Generator) -> None:
        return None

    def draw(self, rng: Any, episode: None, types: Any, out: TaskBatch) -> None:
        out.features[:] = np.eye(3)[None, :, :1]
        out.labels[:] = 2.0
        out.linear[:] = (2.0, 0.0, 0.0)
        out.constant[:] = 4.0


def test_own_stream() -> None:
    config = OffloadingConfig(
        tasks=Constant(), num_types=2, feature_dim=3, samples_per_task=1, horizon=30
    )
    env = OffloadingEnv(config)
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(observation["task"], [1, 0, 0])
    for _ in range(30):
        server = int(np.argmax(env.action_masks()[:8]))
        *_, info = env.step(np.array([server, np.argmax(env.action_masks()[9:])]))
    assert info["generalization_error"] < 1.0


class Failing(Constant):
    """A stream that fails in some of its calls."""

    def __init__(self) -> None:
        self.fails_at: set[str] = set()

    def start_episode(self, rng: np.random.Generator) -> None:
        if "start" in self.fails_at:
            raise ArithmeticError("no start")

    def draw(self, rng: Any, episode: None, types: Any, out: TaskBatch) -> None:
        if "draw" in self.fails_at:
            raise ArithmeticError("no task")
        super().draw(rng, episode, types, out)


@pytest.mark.parametrize("mode", ["scalar", "next_step", "disabled"])
def test_after_a_failed_stream_the_environment_wants_a_reset(mode: str) -> None:
    stream = Failing()
    config = OffloadingConfig(
        tasks=stream, num_types=2, feature_dim=3, samples_per_task=1, horizon=90
    )
    env: Any = (
        OffloadingEnv(config)
        if mode == "scalar"
        else OffloadingVectorEnv(2, config, autoreset_mode=mode)
    )
    action = env.action_space.sample()
    for failure in ("start", "draw"):
        stream.fails_at = {failure}
        with pytest.raises(ArithmeticError):
            env.reset(seed=0)
        with pytest.raises(RuntimeError, match="reset"):
            env.step(action)
        stream.fails_at = set()
    env.reset(seed=0)
    stream.fails_at = {"draw"}
    for _ in range(AHEAD - 1):
        env.step(action)
    with pytest.raises(ArithmeticError):
        env.step(action)
    with pytest.raises(RuntimeError, match="reset"):
        env.step(action)
    stream.fails_at = set()
    env.reset(seed=0)
    for _ in range(64):
        env.step(action)


def test_mnist_reads_idx_gz_and_npz_alike(mnist_folder: str, tmp_path: Path) -> None:
    arrays = read_mnist(mnist_folder)
    np.savez(tmp_path / "mnist.npz", **dict(zip(NPZ_NAMES, arrays, strict=True)))
    for name in IDX_NAMES:
        packed = gzip.compress((Path(mnist_folder) / name).read_bytes())
        (tmp_path / f"{name}.gz").write_bytes(packed)
    for other in (str(tmp_path / "mnist.npz"), str(tmp_path)):
        for mine, theirs in zip(arrays, read_mnist(other), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_mnist_trains_to_a_useful_model(mnist_folder: str) -> None:
    env = OffloadingEnv("mnist", data_path=mnist_folder, feature_dim=20, num_types=1, horizon=60)
    env.reset(seed=0)
    for _ in range(60):
        mask = env.action_masks()
        *_, info = env.step(np.array([int(np.argmax(mask[:13])), int(np.argmax(mask[13:]))]))
    assert info["accuracy"] > 0.85


def test_mnist_without_a_path() -> None:
    with pytest.raises(FileNotFoundError, match="data_path"):
        OffloadingEnv("mnist")


def test_mnist_at_no_place(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: expected an .npz file, a CSV file or a"):
        OffloadingEnv("mnist", data_path=str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="expected train-images-idx3-ubyte"):
        OffloadingEnv("mnist", data_path=str(tmp_path))


@pytest.mark.parametrize("kept", [0, 3, 9, 500])
def test_truncated_idx(mnist_folder: str, tmp_path: Path, kept: int) -> None:
    whole = (Path(mnist_folder) / IDX_NAMES[0]).read_bytes()
    path = tmp_path / IDX_NAMES[0]
    path.write_bytes(whole[:kept])
    with pytest.raises(ValueError, match="train-images") as caught:
        read_idx(path)
    assert "expected an IDX file" in str(caught.value) or "truncated" in str(caught.value)


def test_truncated_gzip(mnist_folder: str, tmp_path: Path) -> None:
    packed = gzip.compress((Path(mnist_folder) / IDX_NAMES[0]).read_bytes())
    path = tmp_path / "images.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ValueError, match="not a whole gzip"):
        read_idx(path)


def test_npz_of_another_kind(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x_train=np.zeros(3))
    with pytest.raises(ValueError, match="missing"):
        OffloadingEnv("mnist", data_path=str(tmp_path / "other.npz"))
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.npz"):
        OffloadingEnv("mnist", data_path=str(tmp_path / "text.npz"))
    pickled: dict[str, Any] = dict(zip(NPZ_NAMES, [np.array([{}], dtype=object)] * 4, strict=True))
    np.savez(tmp_path / "pickled.npz", **pickled)
    with pytest.raises(ValueError, match="pickle"):
        OffloadingEnv("mnist", data_path=str(tmp_path / "pickled.npz"))
    images, classes = fake_mnist(np.random.default_rng(0), 20)
    np.savez(
        tmp_path / "odd.npz", x_train=images, y_train=classes[:3], x_test=images, y_test=classes
    )
    with pytest.raises(ValueError, match=r"labels \(n,\)"):
        OffloadingEnv("mnist", data_path=str(tmp_path / "odd.npz"))


def test_more_components_than_pixels(mnist_folder: str) -> None:
    with pytest.raises(ValueError, match="feature_dim = 400"):
        OffloadingEnv("mnist", data_path=mnist_folder, feature_dim=400)
