"""What comes from outside is read up to the limits of `mec_moe_env/limits.py`, and no further."""

import ast
import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mec_moe_env import files
from mec_moe_env.files import depth_of, read_arrays, read_bytes, read_csv, read_json, write_arrays
from mec_moe_env.worlds.table import read_rows
from tests.test_architecture import PACKAGES

ROOT = PACKAGES[0].parent
Write = Callable[[Path], None]


def packed(content: bytes) -> Write:
    def write(path: Path) -> None:
        path.write_bytes(gzip.compress(content))

    return write


def written(text: str) -> Write:
    def write(path: Path) -> None:
        path.write_text(text)

    return write


def arrays(count: int, size: int) -> Write:
    values = {f"a{number}": np.zeros(size) for number in range(count)}
    return lambda path: write_arrays(path, values, compressed=True)


CASES: list[tuple[str, int, str, Write, Callable[[Path], Any], str]] = [
    ("TEXT_BYTES", 50, "x", written("0" * 50), read_bytes, "bytes"),
    ("TEXT_BYTES", 5000, "x.gz", packed(bytes(5000)), read_bytes, "unpacked bytes"),
    ("TEXT_BYTES", 51, "x.json", written("[" + "0," * 24 + "0]"), read_json, "bytes"),
    ("JSON_DEPTH", 9, "x.json", written("[" * 9 + "0" + "]" * 9), read_json, "levels of nesting"),
    ("TEXT_BYTES", 20, "x.csv", written("a,b\n" + "1,2\n" * 4), read_csv, "bytes"),
    ("CSV_ROWS", 4, "x.csv", written("a,b\n" + "1,2\n" * 4), read_csv, "rows"),
    ("TEXT_BYTES", 8, "x.csv", written("x,y\n1,2\n"), lambda p: read_rows(p, "xy"), "bytes"),
    ("ARCHIVE_MEMBERS", 6, "x.npz", arrays(6, 1), read_arrays, "arrays"),
    ("ARCHIVE_BYTES", 8128, "x.npz", arrays(1, 1000), read_arrays, "bytes of arrays"),
]


@pytest.mark.parametrize(("limit", "most", "name", "write", "read", "what"), CASES)
def test_what_fits_is_read_and_one_more_is_refused(
    limit: str,
    most: int,
    name: str,
    write: Write,
    read: Callable[[Path], Any],
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / name
    write(path)
    monkeypatch.setattr(files, limit, most)
    read(path)
    monkeypatch.setattr(files, limit, most - 1)
    with pytest.raises(ValueError, match=rf"{name}: .* {what} are not read: at most .*allowed"):
        read(path)


def test_members_of_a_gzip_file_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"one ") + gzip.compress(b"two") + bytes(8))
    assert read_bytes(path) == gzip.decompress(path.read_bytes()) == b"one two"


@given(cut=st.integers(1, 30))
def test_what_is_cut_off_is_refused(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cut") / "x.gz"
    path.write_bytes(gzip.compress(b"a few words")[:-cut])
    with pytest.raises(ValueError, match="not a whole gzip file"):
        read_bytes(path)


def test_a_file_that_nests_without_end_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[" * 200_000 + "]" * 200_000)
    with pytest.raises(ValueError, match=r"x\.json"):
        read_json(path)


def test_an_archive_that_promises_too_much_is_refused_unread(tmp_path: Path) -> None:
    """Its size is what the archive says: nothing has to be unpacked to refuse it."""
    path, member = tmp_path / "x.npz", b"\x93NUMPY\x01\x00v\x00" + b" " * 118
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", member)
    content = path.read_bytes()
    size = len(member).to_bytes(4, "little")
    path.write_bytes(content.replace(size + size, size + (2**32 - 2).to_bytes(4, "little")))
    with pytest.raises(ValueError, match=r"x\.npz"):
        read_arrays(path)


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_depth_is_that_of_the_brackets(document: Any) -> None:
    def depth(one: Any) -> int:
        inner = one.values() if isinstance(one, dict) else one
        return 1 + max(map(depth, inner)) if isinstance(one, list | dict) and one else 0

    assert depth_of(json.loads(json.dumps(document))) == depth(document)


FORBIDDEN = {
    "pickle": ("load", "loads", "Unpickler"),
    "cPickle": ("load", "loads", "Unpickler"),
    "cloudpickle": ("load", "loads"),
    "dill": ("load", "loads"),
    "joblib": ("load",),
    "marshal": ("load", "loads"),
    "shelve": ("open",),
    "yaml": ("load", "unsafe_load", "full_load"),
}
"""What may run code that a file holds."""
WORKERS = {
    "agents/mec_moe_agents/executors/__init__.py": ["pickle.loads"],
    "agents/mec_moe_agents/executors/cluster.py": ["pickle.loads"],
}
"""Where one's own workers get their work and send results back, which no file ever held."""


def unpickling(tree: ast.AST) -> list[str]:
    """Return the calls and imports by which something could be unpickled."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in FORBIDDEN:
            names = {alias.name for alias in node.names}
            found += [f"from {node.module}"] if names & set(FORBIDDEN[node.module]) else []
        if not isinstance(node, ast.Call):
            continue
        name, given = ast.unparse(node.func), {each.arg: each.value for each in node.keywords}
        holder, _, method = name.rpartition(".")
        if ast.unparse(node).startswith("pickle.loads(pickle.dumps("):
            continue  # a copy
        if method in FORBIDDEN.get(holder, ()) or (holder, method) == ("pandas", "read_pickle"):
            found.append(name)
        if "allow_pickle" in given and ast.unparse(given["allow_pickle"]) != "False":
            found.append(f"{name}(allow_pickle)")
        if name == "torch.load" and ast.unparse(given.get("weights_only", node)) != "True":
            found.append(name)
        if name in ("np.load", "numpy.load") and "allow_pickle" not in given:
            found.append(f"{name} without allow_pickle=False")
    return found


@pytest.mark.parametrize("folder", ["mec_moe_env", "agents", "examples", "benchmarks", "docs"])
def test_nothing_is_unpickled(folder: str) -> None:
    paths = list((ROOT / folder).rglob("*.py"))
    assert paths
    found = {
        path.relative_to(ROOT).as_posix(): unpickling(ast.parse(path.read_text("utf-8")))
        for path in paths
    }
    allowed = {path: calls for path, calls in WORKERS.items() if path.startswith(f"{folder}/")}
    assert {path: calls for path, calls in found.items() if calls} == allowed


@pytest.mark.parametrize(
    "line",
    [
        "pickle.loads(data)",
        "pickle.load(file)",
        "from pickle import loads",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.savez(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "joblib.load(path)",
        "from joblib import load",
    ],
)
def test_every_way_of_unpickling_would_be_found(line: str) -> None:
    assert unpickling(ast.parse(line))


@pytest.mark.parametrize(
    "line", ["torch.load(path, weights_only=True)", "np.load(path, allow_pickle=False)"]
)
def test_what_unpickles_nothing_is_fine(line: str) -> None:
    assert not unpickling(ast.parse(line))
