"""Machine code on disk never outlives its source, and never stops the work."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.codegen import JITCodeLibrary

import mec_moe_env
from mec_moe_env.core.kernels import SealedFiles, require, warn_of_no_cache

SCRIPT = """
from mec_moe_env.radio.links import transmission_seconds
from mec_moe_env.core.kernels import kernel
print(transmission_seconds(1e6, 1e6, 5.0))
from mec_moe_env.caller import doubled
print(doubled())
"""
CALLER = """
from mec_moe_env.core.kernels import kernel
from mec_moe_env.radio.links import transmission_seconds

@kernel
def doubled() -> float:
    return 2.0 * transmission_seconds(1e6, 1e6, 5.0)
"""


def run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    environment.pop("NUMBA_CACHE_DIR", None)
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=True,
    )


def values(folder: Path, **variables: str) -> list[float]:
    return [float(line) for line in run(folder, **variables).stdout.split()]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, with a kernel into which another module's function is compiled."""
    copy = tmp_path / "mec_moe_env"
    source = Path(mec_moe_env.__file__).parent
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "caller.py").write_text(CALLER)
    return copy


def test_editing_a_callee_recompiles_its_callers(tmp_path: Path, package: Path) -> None:
    assert values(tmp_path) == [0.2, 0.4]
    network = package / "radio" / "links.py"
    edited = network.read_text().replace("return bits / (", "return 10.0 * bits / (")
    network.write_text(edited)
    assert values(tmp_path) == [2.0, 4.0]


def test_without_a_place_for_a_cache_one_warning_names_the_variable(
    tmp_path: Path, package: Path
) -> None:
    """Where a file stands no folder can be made, which holds for an administrator, too."""
    nowhere = tmp_path / "file" / "below"
    nowhere.parent.touch()
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__pycache__").touch()
    place = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"), str(nowhere))
    done = run(tmp_path, **place)
    assert [float(line) for line in done.stdout.split()] == [0.2, 0.4]
    assert done.stderr.count("Warning:") == 1
    assert f"set NUMBA_CACHE_DIR (now {nowhere}) to a folder that can be written" in done.stderr


def test_emptied_files_are_rebuilt(tmp_path: Path, package: Path) -> None:
    cache = tmp_path / "cache"
    assert values(tmp_path, NUMBA_CACHE_DIR=str(cache)) == [0.2, 0.4]
    for ending in ("nbi", "nbc"):
        written = list(cache.rglob("*doubled*." + ending))
        assert written
        for path in written:
            path.write_bytes(b"")
        assert values(tmp_path, NUMBA_CACHE_DIR=str(cache)) == [0.2, 0.4]
        assert all(path.stat().st_size > 32 for path in written)


@given(
    ending=st.sampled_from(["*.nbi", "*.nbc"]),
    cut=st.booleans(),
    where=st.floats(0, 1, exclude_max=True),
    flip=st.integers(1, 255),
)
def test_what_is_damaged_counts_as_absent(ending: str, cut: bool, where: float, flip: int) -> None:
    with TemporaryDirectory() as folder:
        files = SealedFiles(folder, "function", ("stamp",))
        files.save("types", ["code"])
        assert files.load("types") == ["code"]
        (path,) = Path(folder).glob(ending)
        content = bytearray(path.read_bytes())
        position = int(where * len(content))
        content[position] ^= flip
        path.write_bytes(content[:position] if cut else content)
        assert files.load("types") is None
        files.save("types", ["new code"])
        assert files.load("types") == ["new code"]


def test_a_disk_that_takes_nothing_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files = SealedFiles(str(tmp_path / "file"), "function", ("stamp",))
    warn_of_no_cache.cache_clear()
    with pytest.warns(RuntimeWarning, match="set NUMBA_CACHE_DIR"):
        files.save("types", ["code"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files.save("other types", ["code"])
    assert files.load("types") is None


def test_python_runs_what_overflows_on_purpose_as_silently_and_pickles_it() -> None:
    script = (
        "import pickle, mec_moe_env as m\n"
        "for env in (m.OffloadingEnv(), m.DMoEEnv()):\n"
        "    env.reset(seed=3)\n"
        "    pickle.loads(pickle.dumps(env)).reset(seed=3)\n"
    )
    variables = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-W", "error", "-c", script], env=variables, check=True)


def test_an_internal_that_is_missing_is_named_with_the_version() -> None:
    with pytest.raises(
        ImportError, match=f"numba {numba.__version__} has no _gone in JITCodeLibrary"
    ):
        require(JITCodeLibrary, "_optimize_final_module", "_gone")
