import json

import numpy as np
import pytest
from mec_moe_agents.learned import export, learned_agent, load
from mec_moe_agents.learned.weights import arrays_of

from mec_moe_env import OFFLOADING_PRESETS
from tests.learned.models import Untrained

DEFAULT = OFFLOADING_PRESETS["default"]


@pytest.fixture
def exported(tmp_path):
    path = tmp_path / "mine.safetensors"
    export(Untrained(), path, {"steps": 7})
    return path


def test_what_is_written_is_read(exported):
    found = load(exported)
    expected = arrays_of(Untrained())
    assert found.weights.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found.weights[name], array)
    assert found.card["training"] == {"steps": 7}
    assert sorted(path.name for path in exported.parent.iterdir()) == [
        "mine.json",
        "mine.safetensors",
    ]


def test_other_endings_and_policies_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must end in .safetensors"):
        export(Untrained(), tmp_path / "mine.zip")
    flat = Untrained()
    del flat.policy.mlp_extractor.skip
    with pytest.raises(ValueError, match="has not the problem's shape"):
        export(flat, tmp_path / "mine.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path, exported):
    with pytest.raises(FileNotFoundError, match="nowhere.json"):
        learned_agent(DEFAULT, path=tmp_path / "nowhere.safetensors")
    exported.unlink()
    with pytest.raises(FileNotFoundError, match="mine.safetensors"):
        load(exported)


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_truncated_weights_are_refused(exported, kept):
    exported.write_bytes(exported.read_bytes()[:kept])
    with pytest.raises(ValueError, match="mine.safetensors: not the weights"):
        load(exported)


@pytest.mark.parametrize(
    ("key", "value"), [("features", 0), ("architecture", "transformer"), ("features", None)]
)
def test_cards_of_another_make_are_refused(exported, key, value):
    card = exported.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | {key: value}))
    with pytest.raises(ValueError, match=f"{key} is {value!r}, expected"):
        load(exported)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_damaged_cards_are_refused(exported, text):
    exported.with_suffix(".json").write_text(text)
    with pytest.raises(ValueError, match="mine.json"):
        load(exported)
