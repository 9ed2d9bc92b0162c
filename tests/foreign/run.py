"""Point Gymnasium's and Minigrid's own test modules at the environments of this project.

    python -m tests.foreign.run --gymnasium CHECKOUT --minigrid CHECKOUT

A checkout is a clone of their repository; their wheels hold no tests. The modules are copied, the
ids in them replaced by ours, and run; nothing else in them is changed. Their vector tests run
twice: on `SyncVectorEnv` of our scalar environments, and with our native vector environment in its
place. `LEFT_OUT` says which cases are not run, and why.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ID = "mec_moe/Offloading-default-flat-v0"
"""Stands for the one environment that a test picks: a Box, a Discrete, and randomness."""
ANOTHER = "mec_moe/Offloading-toy-flat-v0"
"""Where a test wants two with different spaces."""
SPECS = (
    "'mec_moe_env.' in str(env_spec.entry_point) and "
    "'massive' not in env_spec.id and 'MO-' not in env_spec.id"
)
"""Of ours all, but the preset that takes minutes of everything, and those with a vector reward,
which Gymnasium does not know."""
NATIVE_VECTOR = "from tests.foreign_native import SyncVectorEnv\n"


@dataclass(frozen=True)
class Suite:
    """Modules of a checkout, how they come to our ids, and what is not run."""

    modules: tuple[str, ...]
    replaced: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Parts of test names, and why they are not run."""
    after_imports: str = ""


OTHERS = {
    "custom_space": "spaces of the test's own",
    "test_vector_obs_action_spaces": "spaces of the test's own",
    "test_final_obs_info": "an environment of the test's own",
    "test_step_sync_vector_env": "asserts the Discrete observation of FrozenLake",
    "test_call_sync_vector_env": "asks for CartPole's gravity",
    "test_set_attr_sync_vector_env": "sets CartPole's gravity",
    "test_sync_vector_env_seed": "compares a Discrete with its batch, which is drawn otherwise",
    "test_random_seeds_set_at_retrieval": "asserts the seeds 0, 1, 2 that a helper gave before",
}
REPLACED = {
    "CartPole-v1": ID,
    "FrozenLake-v1": ANOTHER,
    "BipedalWalker-v3": ID,
    '"gymnasium.envs." in env_spec.entry_point': SPECS,
    "            ImportError,\n": "            ImportError,\n            FileNotFoundError,\n",
}
VECTOR = ("tests/vector/test_sync_vector_env.py", "tests/vector/test_vector_env.py")
SUITES: Mapping[str, tuple[str, Suite]] = {
    "Gymnasium, environments": (
        "gymnasium",
        Suite(
            ("tests/envs/test_envs.py", "tests/envs/test_rendering.py"),
            REPLACED,
            {"test_pygame_selective_init": "about CartPole's pictures, which ours do not draw so"},
        ),
    ),
    "Gymnasium, vector environments": ("gymnasium", Suite(VECTOR, REPLACED, OTHERS)),
    "Gymnasium, native vector environments": (
        "gymnasium",
        Suite(
            VECTOR,
            REPLACED,
            OTHERS
            | {
                "Async": "the sub-environments of a native one share a process",
                "test_check_spaces": "sub-environments of two kinds, which a native one has not",
                "test_metadata_sync": "looks at `envs`, which a native one has not",
                "test_partial_reset_failure": "asserts the wording and the TypeError of "
                "SyncVectorEnv; ours is a ValueError that says the same",
                "test_sync_vector_determinism": "seeds the action space of each sub-environment, "
                "which a native one has not",
                "test_action_count_compatibility": "wants a TypeError where one number is given "
                "for all; ours is a ValueError",
            },
            NATIVE_VECTOR,
        ),
    ),
    "Minigrid": (
        "minigrid",
        Suite(
            ("tests/test_envs.py",),
            {
                "MiniGrid-Empty-8x8-v0": ID,
                "MiniGrid-DoorKey-6x6-v0": ID,
                "MiniGrid-DoorKey-16x16-v0": ID,
                "MiniGrid-ObstructedMaze-1Dl-v0": ID,
                "from minigrid.core.grid import Grid\n": "",
                "from minigrid.core.mission import MissionSpace\n": "",
                "from minigrid.minigrid_env import MiniGridEnv\n": "",
            },
            {
                "test_agent_sees": "looks into Minigrid's grid",
                "test_mission_space": "is about Minigrid's missions",
                "test_pprint_grid": "prints Minigrid's grid",
                "test_max_steps_argument": "`max_steps` is Minigrid's name; ours is refused with "
                "the hint `horizon`",
            },
        ),
    ),
}
MINIGRID_UTILS = f"""
import gymnasium as gym
from gymnasium.utils.env_checker import data_equivalence

all_testing_env_specs = [
    env_spec for env_spec in gym.registry.values() if {SPECS} and "mnist" not in env_spec.id
]


def assert_equals(a, b, prefix=None):
    assert data_equivalence(a, b, exact=True), f"{{prefix}}{{a}} != {{b}}"
"""


def prepare(checkout: Path, suite: Suite, folder: Path) -> None:
    """Copy the tests of a checkout and point them at our ids.

    Raises:
        FileNotFoundError: the checkout has no such modules.
    """
    shutil.copytree(checkout / "tests", folder / "tests")
    (folder / "tests/__init__.py").touch()
    (folder / "tests/conftest.py").write_text("import mec_moe_env\n")
    shutil.copy(Path(__file__).with_name("native.py"), folder / "tests/foreign_native.py")
    if "tests/test_envs.py" in suite.modules:
        (folder / "tests/utils.py").write_text(MINIGRID_UTILS)
    for path in (*suite.modules, "tests/envs/utils.py", "tests/vector/testing_utils.py"):
        if (folder / path).exists() or path in suite.modules:
            text = (folder / path).read_text()
            for theirs, ours in suite.replaced.items():
                text = text.replace(theirs, ours)
            where = text.find("\n\n\n")
            (folder / path).write_text(text[:where] + "\n" + suite.after_imports + text[where:])


def run(checkout: Path, suite: Suite) -> int:
    """Run a suite; return pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(checkout, suite, Path(folder))
        chosen = " and ".join(f"not {part}" for part in suite.left_out)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs"]
        command += [*suite.modules, *(["-k", chosen] if chosen else [])]
        paths = [folder, str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "SDL_VIDEODRIVER": "dummy",
        }
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def main() -> None:
    """Run what checkouts are given for; the exit status is 1 where something fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gymnasium", type=Path, help="a clone of Farama-Foundation/Gymnasium")
    parser.add_argument("--minigrid", type=Path, help="a clone of Farama-Foundation/Minigrid")
    given = vars(parser.parse_args())
    failed = []
    for name, (source, suite) in SUITES.items():
        if given[source] is None:
            print(f"{name}: left out, no --{source}")
            continue
        print(f"{name}, without:", flush=True)
        for part, why in suite.left_out.items():
            print(f"  {part}: {why}", flush=True)
        if run(given[source].resolve(), suite) != 0:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
