"""CleanRL's `ppo.py` trains on a flat id as it is; `make libraries CLEANRL=…` names a clone."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = os.environ.get("CLEANRL", "")


@pytest.mark.skipif(not CHECKOUT, reason="make libraries CLEANRL=… names a checkout of CleanRL")
def test_ppo_runs_without_an_edited_line(tmp_path: Path) -> None:
    script = (Path(CHECKOUT) / "cleanrl" / "ppo.py").resolve()
    sizes = shlex.split("--total-timesteps 1024 --num-envs 2 --num-steps 64 --no-cuda")
    command = [
        sys.executable,
        str(script),
        "--env-id",
        "mec_moe_env:mec_moe/Offloading-toy-flat-v0",
    ]
    done = subprocess.run(
        [*command, *sizes], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # Returns of episodes it prints under Gymnasium 0.29 alone, with any environment.
    iterations = [line for line in done.stdout.splitlines() if line.startswith("SPS:")]
    assert len(iterations) == 1024 // (2 * 64)
    assert list(tmp_path.glob("runs/**/events.out.tfevents.*"))
