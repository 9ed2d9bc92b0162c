"""Finished cells are found again, and nothing else; files hold all that was measured."""

import csv
import dataclasses
import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mec_moe_agents import evaluate
from mec_moe_agents.evaluation.comparison import Listener, compare
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.store import (
    Cell,
    CellStore,
    differing_config,
    write_curves,
    write_rows,
)

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig
from mec_moe_env.files import replacing, write_arrays
from tests.evaluation.made_up import episodes

SMALL = OffloadingConfig(horizon=30, failure_rate=0.02)
TOY = OFFLOADING_PRESETS["toy"]


class Notebook(Listener):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def found(self, cell: str) -> None:
        self.heard.append(f"found {cell}")

    def began(self, cell: str, steps: int) -> None:
        self.heard.append(f"began {cell} {steps}")


def cell(**changes: Any) -> Cell:
    plain = Cell(SMALL, "guard", (0, 1), "0.1.0+abc")
    return dataclasses.replace(plain, **changes)


def test_stored_cells_come_back(tmp_path: Path) -> None:
    store = CellStore(tmp_path / "cells")
    assert store.load(cell()) is None
    kept = episodes([1.0, 2.0], accuracy=[0.5, np.nan])
    store.save(cell(), kept)
    back = store.load(cell())
    assert back is not None
    np.testing.assert_array_equal(back.curve, kept.curve)
    np.testing.assert_array_equal(back.seeds, kept.seeds)
    assert back.metrics.keys() == kept.metrics.keys()
    np.testing.assert_array_equal(back.metrics["accuracy"], [0.5, np.nan])


@pytest.mark.parametrize(
    "change",
    [
        {"config": SMALL.override(horizon=31)},
        {"agent": "profile"},
        {"seeds": (0, 2)},
        {"code": "0.2.0+abc"},
        {"code": "0.1.0+abd"},
    ],
)
def test_another_cell_is_never_taken_for_this_one(tmp_path: Path, change: dict[str, Any]) -> None:
    store = CellStore(tmp_path)
    store.save(cell(), episodes([1.0, 2.0]))
    assert store.load(cell(**change)) is None


def test_a_file_with_other_content_makes_another_cell(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    data.write_bytes(b"old")
    config = SMALL.override(data_path=str(data))
    before = cell(config=config)
    assert before.key == cell(config=config).key
    data.write_bytes(b"new")
    assert before.key != cell(config=config).key


def test_a_folder_of_data_counts_with_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(b"old")
    config = SMALL.override(data_path=str(tmp_path))
    keys = [cell(config=config).key]
    (tmp_path / "images").write_bytes(b"new")
    keys.append(cell(config=config).key)
    (tmp_path / "images").rename(tmp_path / "labels")
    keys.append(cell(config=config).key)
    assert len(set(keys)) == 3


def test_a_missing_file_has_no_cell(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        cell(config=SMALL.override(data_path=str(tmp_path / "nowhere.npz")))


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_damaged_cells_are_computed_again(tmp_path: Path, content: bytes | None) -> None:
    store = CellStore(tmp_path)
    store.save(cell(), episodes([1.0, 2.0]))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-200] if content is None else content)
    assert store.load(cell()) is None


def write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "disk full")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with pytest.raises(OSError, match=r"disk full: '.*rows.csv'"):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_compare_finds_finished_cells(tmp_path: Path) -> None:
    store, first, second = CellStore(tmp_path), Notebook(), Notebook()
    compare(TOY, ["nearest"], [0, 1], store, "code", first)
    both = compare(TOY, ["nearest", "guard"], [0, 1], store, "code", second)
    assert first.heard == ["began nearest 8"]
    assert second.heard == ["found nearest", "began guard 8"]
    again = Notebook()
    fresh = compare(TOY, ["guard"], [0, 1], store, "code", again, fresh=True)
    assert again.heard == ["began guard 8"]
    np.testing.assert_array_equal(fresh["guard"].curve, both["guard"].curve)


def test_rows_hold_metrics_config_and_code(tmp_path: Path) -> None:
    results = {"guard": evaluate("guard", TOY, [3, 4]), "nearest": evaluate("nearest", TOY, [3, 4])}
    source = Provenance("0.1.0", "c0ffee", "abc")
    write_rows(tmp_path / "rows.csv", results, TOY, source)
    with (tmp_path / "rows.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["agent"], row["seed"]) for row in rows] == [
        ("guard", "3"),
        ("guard", "4"),
        ("nearest", "3"),
        ("nearest", "4"),
    ]
    assert float(rows[1]["return"]) == results["guard"].metrics["return"][1]
    assert {field.name for field in dataclasses.fields(TOY)} == {
        name.removeprefix("config.") for name in rows[0] if name.startswith("config.")
    }
    assert rows[0]["config.horizon"] == "4"
    assert (rows[0]["version"], rows[0]["commit"], rows[0]["code"]) == ("0.1.0", "c0ffee", "abc")


def test_curves_rebuild_the_picture(tmp_path: Path) -> None:
    results = {"guard": evaluate("guard", TOY, [3, 4])}
    write_curves(tmp_path / "curves.npz", results)
    with np.load(tmp_path / "curves.npz", allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["guard"], results["guard"].curve)
        assert stored["seeds"].tolist() == [3, 4]


def test_a_field_that_came_after_the_rows_had_its_default(tmp_path: Path) -> None:
    file, config = tmp_path / "rows.csv", OffloadingConfig(num_servers=2, horizon=4)
    file.write_text("config.num_servers,config.horizon\n2,4\n", encoding="utf-8")
    assert differing_config(file, config) == ""
    assert differing_config(tmp_path / "none.csv", config) == ""
    later = config.override(rician_factor=1.0)
    assert differing_config(file, later) == "rician_factor = 0.0 there, 1.0 here"
    assert differing_config(file, config.override(horizon=5)) == "horizon = 4 there, 5 here"


def test_arrays_are_all_that_a_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As NumPy before 2.2 writes them: every keyword is an array."""
    written = dict[str, Any]()
    monkeypatch.setattr(np, "savez", lambda file, **arrays: written.update(arrays))
    write_arrays(tmp_path / "a.npz", {"one": np.ones(2)})
    assert list(written) == ["one"]


def test_objects_are_not_pickled(tmp_path: Path) -> None:
    objects = {"one": np.ones(2), "other": np.array([{"a": 1}, None])}
    with pytest.raises(ValueError, match=r"a\.npz: other has objects; it must be numbers or text"):
        write_arrays(tmp_path / "a.npz", objects)
    assert list(tmp_path.iterdir()) == []
