"""The fingerprint follows what results depend on, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from mec_moe_agents.evaluation import provenance


@pytest.mark.parametrize("folder", ["cli", "reproduce", "bench"])
def test_the_fingerprint_leaves_out_what_cannot_change_results(
    tmp_path: Path, folder: str | Path
) -> None:
    (tmp_path / folder).mkdir()
    before = provenance.fingerprint(tmp_path)
    (tmp_path / folder / "compare.py").write_text("print()")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "agent.pyc").write_text("bytes")
    assert provenance.fingerprint(tmp_path) == before


@pytest.mark.parametrize("file", sorted(f for f in provenance.PRESENTATION if f.endswith(".py")))
def test_the_fingerprint_leaves_out_modules_that_present(tmp_path: Path, file: str) -> None:
    package = Path(provenance.__file__).parents[1]
    assert (package / file).is_file()
    (tmp_path / file).parent.mkdir()
    before = provenance.fingerprint(tmp_path)
    (tmp_path / file).write_text("print()")
    assert provenance.fingerprint(tmp_path) == before


def test_no_episode_needs_what_the_fingerprint_leaves_out() -> None:
    code = "import sys, mec_moe_agents.evaluation.comparison; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    left_out = {
        f"mec_moe_agents.{name.removesuffix('.py').replace('/', '.')}"
        for name in provenance.PRESENTATION
    }
    assert not set(done.stdout.split()) & left_out


@pytest.mark.parametrize("name", ["agent.py", "weights.npz", "learned.safetensors", "shape.json"])
def test_the_fingerprint_follows_what_results_depend_on(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a")
    before = provenance.fingerprint(tmp_path)
    (tmp_path / name).write_text("b")
    assert provenance.fingerprint(tmp_path) != before


def test_a_foreign_repository_is_not_our_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    package = tmp_path / "site" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert provenance.git_commit(package) is None
