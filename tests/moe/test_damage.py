"""Whatever happens to a data file: it is read as it was, or refused by a ValueError with its path.

MNIST as IDX, gzipped and as .npz, gate traces, and the weights of both kinds of model.
"""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mec_moe_agents.dmoe.learned import DIGITS_MOE, ScheduleFamily
from mec_moe_agents.offloading import network
from mec_moe_agents.offloading.learned import FOLDER

from mec_moe_env import DMoEEnv
from mec_moe_env.files import read_arrays
from mec_moe_env.moe import load_gate_trace, load_moe, save_gate_trace, save_moe
from mec_moe_env.tasks.mnist import IDX_NAMES, NPZ_NAMES, read_idx, read_mnist
from tests.conftest import fake_mnist, write_idx
from tests.moe.tiny import random_model


class Case(NamedTuple):
    """A small whole file of some kind, and how it is read."""

    name: str
    content: bytes
    read: Callable[[Path], Any]


def saved(save: Callable[..., Any], **arrays: Any) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def mnist_arrays() -> dict[str, np.ndarray]:
    images, classes = fake_mnist(np.random.default_rng(0), 10)
    parts = (images.astype(np.uint8), classes.astype(np.uint8))
    return dict(zip(NPZ_NAMES, parts * 2, strict=True))


def idx_of(array: np.ndarray, folder: Path) -> bytes:
    write_idx(folder / "idx", array)
    return (folder / "idx").read_bytes()


TRACE: dict[str, Any] = {
    "version": np.array(1),
    "gate": np.full((1, 2, 2, 2), 0.5, np.float32),
    "model": np.array("m"),
}
WEIGHTS = {name: array.astype(np.float32) for name, array in random_model()._asdict().items()}
SCHEDULER = FOLDER / "default.npz"
NAMES = (
    "images.gz",
    "mnist.npz",
    "packed.npz",
    "trace.npz",
    "short.npz",
    "weights.npz",
    "scheduler.npz",
)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    folder = tmp_path_factory.mktemp("whole")
    images = mnist_arrays()["x_train"]
    listed = [
        Case("images.gz", gzip.compress(idx_of(images, folder), mtime=0), read_idx),
        Case("mnist.npz", saved(np.savez, **mnist_arrays()), lambda p: read_mnist(str(p))),
        Case("packed.npz", saved(np.savez_compressed, **mnist_arrays()), read_arrays),
        Case("trace.npz", saved(np.savez, **TRACE), lambda path: load_gate_trace(path).gate),
        Case("short.npz", saved(np.savez_compressed, **TRACE), lambda p: load_gate_trace(p).gate),
        Case("weights.npz", saved(np.savez, **WEIGHTS), lambda path: tuple(load_moe(path))),
        Case("scheduler.npz", SCHEDULER.read_bytes(), lambda path: network.load(path).weights),
    ]
    return {case.name: case for case in listed}


def read_or_refuse(case: Case, content: bytes, path: Path) -> Any:
    """Return what is read; None if the file is refused as documented."""
    path.write_bytes(content)
    try:
        return case.read(path)
    except ValueError as error:
        assert str(path) in str(error)  # noqa: PT017
        return None


def assert_same(found: Any, whole: Any) -> None:
    """Compare arrays, alone, in a sequence or in a dictionary."""
    if isinstance(whole, dict):
        # An array whose name was bent is another array, or missing.
        found, whole = zip(*((found[name], whole[name]) for name in found), strict=True)
    if not isinstance(whole, np.ndarray):
        for one, other in zip(found, whole, strict=True):
            np.testing.assert_array_equal(one, other)
    else:
        np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("name", NAMES)
def test_flipped_cut_and_stretched_files(name: str, cases: dict[str, Case], tmp_path: Path) -> None:
    """300 files: up to three changes each, of which half fall on what is not pixels or weights."""
    case, rng, path = cases[name], np.random.default_rng(14), tmp_path / name
    path.with_suffix(".json").write_bytes(SCHEDULER.with_suffix(".json").read_bytes())
    whole = read_or_refuse(case, case.content, path)
    assert whole is not None
    size = len(case.content)
    for _ in range(300):
        bent = bytearray(case.content)
        for _ in range(rng.integers(1, 4)):
            near_an_end = rng.integers(min(size, 400)) * rng.choice([-1, 1])
            place = int(rng.choice([rng.integers(size), near_an_end]))
            bent[place] ^= int(rng.integers(1, 256))
        cut = int(rng.integers(size))
        ends = [bent, bent, bent, bent[:cut], bent[cut:], bent[:cut] + bent[max(cut - 9, 0) :]]
        found = read_or_refuse(case, bytes(ends[rng.integers(len(ends))]), path)
        if found is not None:
            assert_same(found, whole)


@pytest.mark.parametrize("method", [0, 1, 8, 9, 12, 14, 93, 99])
def test_any_method_of_compression_that_is_not_the_files_own(
    method: int, cases: dict[str, Case], tmp_path: Path
) -> None:
    """Deflate, bzip2, LZMA and those that Python lacks each raise errors of their own."""
    case, path = cases["trace.npz"], tmp_path / "method.npz"
    bent, place = bytearray(case.content), case.content.index(b"PK\x01\x02")
    while place >= 0:
        bent[place + 10 : place + 12] = method.to_bytes(2, "little")
        place = case.content.find(b"PK\x01\x02", place + 1)
    found = read_or_refuse(case, bytes(bent), path)
    assert (found is None) == (method != zipfile.ZIP_STORED)


ODD = (
    np.array("text"),
    np.array(b"bytes"),
    np.array(3),
    np.array([], np.float32),
    np.zeros((0, 4, 4), np.uint8),
    np.zeros((2, 2, 2, 2), np.float32),
    np.full((10,), np.nan),
    np.arange(10).astype("datetime64[s]"),
    np.arange(10).astype("V8"),
    np.zeros(10, [("a", np.int8), ("b", "U2")]),
    np.arange(10, dtype=np.complex128),
    np.arange(10).astype("U3"),
    np.ones(10, np.bool_),
    np.arange(10, dtype=np.float16),
    np.zeros((10, 12, 12), ">u2"),
    np.full((1, 2, 2, 2), np.nan, np.float32),
    np.asfortranarray(np.full((1, 2, 2, 2), 0.5, ">f4")),
)


@pytest.mark.parametrize("name", ["mnist.npz", "trace.npz", "weights.npz"])
@given(data=st.data())
@settings(max_examples=100)
def test_whole_archives_of_other_arrays(
    name: str, cases: dict[str, Case], tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    """Nothing is damaged; one array, or several, are of another kind or shape."""
    arrays = {"mnist.npz": mnist_arrays(), "trace.npz": TRACE, "weights.npz": WEIGHTS}[name]
    replaced = data.draw(
        st.dictionaries(st.sampled_from(sorted(arrays)), st.sampled_from(ODD), min_size=1)
    )
    with zipfile.ZipFile(io.BytesIO(saved(np.savez, **{**arrays, **replaced}))) as whole:
        assert whole.testzip() is None
    path = tmp_path_factory.getbasetemp() / name
    read_or_refuse(cases[name], saved(np.savez, **{**arrays, **replaced}), path)


NESTED = b"[" * 100_000
HUGE = b"1" + b"0" * 400


def read_card(path: Path) -> object:
    return network.load(path.with_suffix(".npz"))


def read_family(path: Path) -> object:
    return ScheduleFamily.load(path, 4)


@pytest.mark.parametrize(
    ("whole", "read"), [(SCHEDULER.with_suffix(".json"), read_card), (DIGITS_MOE, read_family)]
)
def test_what_lies_in_json(whole: Path, read: Callable[[Path], object], tmp_path: Path) -> None:
    """Text has no checksum: flipped and cut files are read, or refused."""
    path, rng, content = tmp_path / "bent.json", np.random.default_rng(14), whole.read_bytes()
    path.with_suffix(".npz").write_bytes(SCHEDULER.read_bytes())
    case = Case(path.name, content, read)
    assert read_or_refuse(case, content, path) is not None
    for _ in range(300):
        bent, cut = bytearray(content), int(rng.integers(len(content)))
        bent[int(rng.integers(len(content)))] ^= int(rng.integers(1, 256))
        read_or_refuse(case, bytes([bent, bent[:cut]][rng.integers(2)]), path)
    for odd in (b"", b"3", b"[]", b"{}", b"null", b"\xff", NESTED, content.replace(b"0.", HUGE)):
        if odd != content:
            assert read_or_refuse(case, odd, path) is None


@pytest.mark.parametrize("kind", ["complex128", "timedelta64[s]", "U1"])
def test_labels_of_another_kind(kind: str, tmp_path: Path) -> None:
    arrays = mnist_arrays()
    arrays["y_test"] = arrays["y_test"].astype(np.int64).astype(kind)
    (tmp_path / "odd.npz").write_bytes(saved(np.savez, **arrays))
    with pytest.raises(ValueError, match=r"odd\.npz: expected labels 0 to 9"):
        read_mnist(str(tmp_path / "odd.npz"))


@pytest.mark.parametrize("axes", [0, 4, 65, 255])
def test_idx_of_more_axes_than_arrays_have(axes: int, tmp_path: Path) -> None:
    path = tmp_path / IDX_NAMES[0]
    path.write_bytes(bytes((0, 0, 8, axes)) + bytes(4 * axes))
    with pytest.raises(ValueError, match="train-images.*1 to 3 axes"):
        read_idx(path)


def test_idx_of_a_shape_that_no_array_has(tmp_path: Path) -> None:
    """No pixels, but sides whose product is beyond any address."""
    path = tmp_path / IDX_NAMES[0]
    path.write_bytes(bytes((0, 0, 8, 3)) + bytes(4) + b"\xff" * 8)
    with pytest.raises(ValueError, match="train-images.*impossible shape"):
        read_idx(path)


def test_a_file_that_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no")

    save_gate_trace(tmp_path / "t.npz", TRACE["gate"])
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError):
        load_gate_trace(tmp_path / "t.npz")


def test_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    save_gate_trace("~/t.npz", TRACE["gate"], "m")
    save_moe("~/w.npz", random_model())
    assert {path.name for path in tmp_path.iterdir()} == {"t.npz", "w.npz"}
    assert load_gate_trace("~/t.npz").model == "m"
    assert len(load_moe("~/w.npz")) == len(WEIGHTS)
    sizes: dict[str, Any] = {
        "num_nodes": 2,
        "num_layers": 2,
        "num_sources": 1,
        "tokens_per_source": 2,
    }
    env = DMoEEnv(gates="trace", data_path="~/t.npz", **sizes)
    env.reset(seed=0)
    np.testing.assert_array_equal(env._simulator.exogenous.gates, 0.5)
