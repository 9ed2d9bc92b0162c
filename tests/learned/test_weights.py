"""Weights on disk are whole and fit, or are refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents.offloading.learned import learned_agent
from mec_moe_agents.offloading.network import arrays_of, export, load

from mec_moe_env import OFFLOADING_PRESETS
from tests.learned.models import Untrained

DEFAULT = OFFLOADING_PRESETS["default"]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "mine.npz"
    export(Untrained(), path, {"steps": 7})
    return path


def test_what_is_written_is_read(exported: Path) -> None:
    found = load(exported)
    expected = arrays_of(Untrained())
    assert found.weights.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found.weights[name], array)
    assert found.card["training"] == {"steps": 7}
    assert sorted(path.name for path in exported.parent.iterdir()) == [
        "mine.json",
        "mine.npz",
    ]


def test_other_endings_and_policies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must end in .npz"):
        export(Untrained(), tmp_path / "mine.zip")
    flat = Untrained()
    del flat.policy.mlp_extractor.skip
    with pytest.raises(ValueError, match="has not the problem's shape"):
        export(flat, tmp_path / "mine.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path: Path, exported: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere.json"):
        learned_agent(DEFAULT, path=tmp_path / "nowhere.npz")
    exported.unlink()
    with pytest.raises(FileNotFoundError, match="mine.npz"):
        load(exported)


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_truncated_weights_are_refused(exported: Path, kept: int) -> None:
    exported.write_bytes(exported.read_bytes()[:kept])
    with pytest.raises(ValueError, match="mine.npz: not the weights"):
        load(exported)


@pytest.mark.parametrize(
    ("key", "value"), [("features", 0), ("architecture", "transformer"), ("features", None)]
)
def test_cards_of_another_make_are_refused(exported: Path, key: str, value: object) -> None:
    card = exported.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | {key: value}))
    with pytest.raises(ValueError, match=f"{key} is {value!r}, expected"):
        load(exported)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_damaged_cards_are_refused(exported: Path, text: str) -> None:
    exported.with_suffix(".json").write_text(text)
    with pytest.raises(ValueError, match="mine.json"):
        load(exported)


def test_weights_are_never_unpickled(exported: Path) -> None:
    arrays: dict[str, Any] = {"score.bias": np.array([{}], dtype=object)}
    np.savez(exported, **arrays)
    with pytest.raises(ValueError, match=r"mine.npz: not the weights .*pickled"):
        load(exported)
