"""The worked examples of CONTRIBUTING.md are applied to a copy of the package, and run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mec_moe_env

ROOT = Path(__file__).parents[1]
ENTRY = """
import numpy as np
from mec_moe_env import OffloadingEnv, OffloadingVectorEnv, unflatten
env = OffloadingEnv("toy")
observation, _ = env.reset(seed=0)
assert env.observation_space.contains(observation)
assert list(observation)[-1] == "idle_share"
assert unflatten(observation, env.config.observation_shapes)["idle_share"] == [1.0]
observation, *_ = env.step(np.array([1, 0]))
assert observation["idle_share"] == [0.5]
"""
TERM = """
import numpy as np
from mec_moe_env import OffloadingEnv
env = OffloadingEnv("toy", error_weight=0.0)
env.reset(seed=0)
_, reward, _, _, info = env.step(np.array([2, 0]))
assert info["reward_rejection"] == reward == -1.0
"""


def patches() -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return re.findall(r"```diff\n(.*?)```", text, flags=re.DOTALL)


def apply(patch: str, root: Path) -> list[str]:
    """Replace each hunk's old lines by its new ones; return the files that it touches."""
    touched: list[str] = []
    for part in re.split(r"^--- a/.*\n", patch, flags=re.MULTILINE)[1:]:
        header, *hunks = re.split(r"^@@\n", part, flags=re.MULTILINE)
        touched.append(header.removeprefix("+++ b/").strip())
        path = root / touched[-1]
        text = path.read_text()
        for hunk in hunks:
            lines = hunk.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] in " -")
            new = "".join(line[1:] for line in lines if line[0] in " +")
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path.write_text(text)
    return touched


@pytest.mark.parametrize(("number", "script"), [(0, ENTRY), (1, TERM)], ids=["entry", "term"])
def test_an_example_touches_two_files_and_works(number: int, script: str, tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(mec_moe_env.__path__[0], tmp_path / "mec_moe_env", ignore=ignored)
    touched = apply(patches()[number], tmp_path)
    assert len(touched) == 2
    # Interpreted: what is asked is whether a change reaches everything that it should.
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
