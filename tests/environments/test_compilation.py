"""Machine code on disk never outlives the source that was compiled into it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core.codegen import JITCodeLibrary

import mec_moe_env
from mec_moe_env.core.kernels import require

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


def run(folder: Path) -> list[float]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    environment.pop("NUMBA_CACHE_DIR", None)
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(line) for line in output.stdout.split()]


def test_editing_a_callee_recompiles_its_callers(tmp_path: Path) -> None:
    package = tmp_path / "mec_moe_env"
    source = Path(mec_moe_env.__file__).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "caller.py").write_text(CALLER)
    assert run(tmp_path) == [0.2, 0.4]
    network = package / "radio" / "links.py"
    edited = network.read_text().replace("return bits / (", "return 10.0 * bits / (")
    network.write_text(edited)
    assert run(tmp_path) == [2.0, 4.0]


def test_an_internal_that_is_missing_is_named_with_the_version() -> None:
    with pytest.raises(
        ImportError, match=f"numba {numba.__version__} has no _gone in JITCodeLibrary"
    ):
        require(JITCodeLibrary, "_optimize_final_module", "_gone")
