"""The gate-trace format: what goes in comes out, and everything else is refused by name."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mec_moe_env.moe import load_gate_trace, save_gate_trace


def softmax_scores(*shape: int) -> np.ndarray:
    scores = np.exp(np.random.default_rng(0).standard_normal(shape))
    return np.asarray(scores / scores.sum(axis=-1, keepdims=True), np.float32)


GATE = softmax_scores(2, 3, 4, 5)


def test_round_trip(tmp_path: Path) -> None:
    save_gate_trace(tmp_path / "t.npz", GATE, model="tiny mixture")
    trace = load_gate_trace(str(tmp_path / "t.npz"))
    assert trace.model == "tiny mixture"
    assert trace.gate.dtype == np.float32
    assert (trace.gate == GATE).all()
    assert [path.name for path in tmp_path.iterdir()] == ["t.npz"]


def test_scores_on_the_edge_of_the_simplex(tmp_path: Path) -> None:
    """One-hot rows, and a single expert."""
    for gate in (np.eye(5)[None, None], np.ones((1, 2, 3, 1))):
        save_gate_trace(tmp_path / "t.npz", gate)
        assert (load_gate_trace(tmp_path / "t.npz").gate == gate).all()


def test_files_of_other_programs(tmp_path: Path) -> None:
    """No model name, a further array, compression: all as documented."""
    path = tmp_path / "t.npz"
    np.savez_compressed(path, version=np.int32(1), gate=GATE, extra=np.ones(3))
    trace = load_gate_trace(path)
    assert trace.model == ""
    assert (trace.gate == GATE).all()


def changed(place: tuple[int, ...], value: float) -> np.ndarray:
    gate = GATE.copy()
    gate[place] = value
    return gate


BAD_SCORES = [
    (changed((1, 2, 3, 4), np.nan), r"holds nan at \(1, 2, 3, 4\)"),
    (changed((0, 0, 0, 1), -0.1), r"holds -0\.1.* at \(0, 0, 0, 1\)"),
    (changed((0, 1, 0, 1), np.inf), r"holds inf at \(0, 1, 0, 1\)"),
    (GATE * np.float32(1.01), r"sums to 1\.01 over the experts at \(0, 0, 0\)"),
    (GATE[0], r"has shape \(3, 4, 5\), expected \(batches, layers, tokens, experts\)"),
    (GATE[:0], r"has shape \(0, 3, 4, 5\)"),
    (GATE[..., :0], r"has shape \(2, 3, 4, 0\)"),
]


@pytest.mark.parametrize(("gate", "message"), BAD_SCORES)
def test_bad_scores(tmp_path: Path, gate: np.ndarray, message: str) -> None:
    np.savez(tmp_path / "bad.npz", version=1, gate=gate)
    with pytest.raises(ValueError, match=rf"bad\.npz: array 'gate' {message}"):
        load_gate_trace(tmp_path / "bad.npz")
    with pytest.raises(ValueError, match=message):
        save_gate_trace(tmp_path / "new.npz", gate)
    assert not (tmp_path / "new.npz").exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"gate": GATE}, "missing version"),
        ({"version": 1}, "missing gate"),
        ({"version": 2, "gate": GATE}, "'version' is 2, expected 1"),
        ({"version": 1.0, "gate": GATE}, "'version' is 1.0, expected 1"),
        ({"version": [1, 1], "gate": GATE}, "'version' is .*, expected 1"),
        ({"version": "one", "gate": GATE}, "'version' is one, expected 1"),
        ({"version": 1, "gate": GATE.astype(float)}, "'gate' is float64, expected float32"),
        ({"version": 1, "gate": (GATE * 0).astype(int)}, "'gate' is int64, expected float32"),
        ({"version": 1, "gate": np.array([None, {}])}, "'gate' is damaged or pickled"),
        ({"version": 1, "gate": GATE, "model": 3}, "'model' is int64.*expected one string"),
        ({"version": 1, "gate": GATE, "model": ["a", "b"]}, "'model' is .*expected one string"),
    ],
)
def test_bad_arrays(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = tmp_path / "bad.npz"
    stored: dict[str, Any] = {name: np.asarray(value) for name, value in arrays.items()}
    np.savez(path, **stored)
    with pytest.raises(ValueError, match=rf"(?s)bad\.npz.*{message}"):
        load_gate_trace(path)


def whole_file(gate: np.ndarray = GATE) -> bytes:
    file = io.BytesIO()
    np.savez(file, version=np.array(1), gate=gate, model=np.array("m"))
    return file.getvalue()


def foreign_zip(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"not an array")
        archive.writestr("version.npy", b"not an array")
    return file.getvalue()


def lone_array() -> bytes:
    file = io.BytesIO()
    np.save(file, GATE)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        lambda: b"",
        lambda: b"gate scores, honestly",
        lambda: b"\x80\x04K\x01.",
        lone_array,
        lambda: foreign_zip("gate.npy"),
        lambda: foreign_zip("version"),
        lambda: whole_file()[:40],
        lambda: whole_file()[:-40],
        lambda: whole_file()[100:],
    ],
)
def test_other_files(tmp_path: Path, content: Callable[[], bytes]) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(content())
    with pytest.raises(ValueError, match=r"other\.npz"):
        load_gate_trace(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.npz: expected an .npz file"):
        load_gate_trace(tmp_path / "none.npz")
    with pytest.raises(IsADirectoryError, match=r"expected an .npz file .*, found a folder"):
        load_gate_trace(tmp_path)


def test_any_damaged_byte_is_survived(tmp_path: Path) -> None:
    """Each byte of the file turned over: the trace comes back whole, or a ValueError."""
    small = GATE[:1, :1, :1]
    content, path = whole_file(small), tmp_path / "bent.npz"
    for place in range(len(content)):
        bent = bytearray(content)
        bent[place] ^= 0xFF
        path.write_bytes(bent)
        try:
            trace = load_gate_trace(path)
        except ValueError as error:
            assert "bent.npz" in str(error)  # noqa: PT017
        else:
            assert (trace.gate == small).all()
