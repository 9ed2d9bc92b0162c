"""Every example runs, at tiny size, and prints what it promises."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mec_moe_agents
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
TESTED_ELSEWHERE = {
    "record_gate_trace.py": "tests/moe/test_recording.py",
    "rl_zoo3_maskable.py": "tests/libraries/test_rl_zoo3.py",
    "skrl_ppo.py": "tests/libraries/test_examples.py",
    "tianshou_dqn.py": "tests/libraries/test_examples.py",
    "torchrl_ppo.py": "tests/libraries/test_examples.py",
    "behaviour_cloning.py": "tests/offline/test_cloning.py",
    "rllib_ppo.py": "tests/rllib/example.py",
}
SMALL = "--horizon 20 --envs 8 --episodes 4"


def run(name: str, options: str, folder: Path) -> str:
    """Run an example in a folder as a newcomer does and return what it prints."""
    command = [sys.executable, str(EXAMPLES / name), *options.split()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def returns(output: str) -> dict[str, float]:
    """Read lines such as `guard  mean return  -6.16`."""
    found = re.findall(r"^(.*?) +mean return +(-?[0-9.]+)", output, re.MULTILINE)
    return {name: float(value) for name, value in found}


def check_sb3_ppo(output: str) -> None:
    """The optimum of the toy is known; hardly trained, PPO stays within what is possible."""
    scores = returns(output)
    assert scores["greedy-oracle"] == -3.8
    assert scores["guard"] == scores["profile"] == -6.16
    assert -20.0 < scores["PPO"] <= -3.8


def check_maskable_ppo(output: str) -> None:
    assert list(returns(output)) == [
        "reject-all",
        "guard",
        "MaskablePPO, raw observation",
        "MaskablePPO, with relevance",
    ]
    assert max(returns(output).values()) < 0.0


def check_cleanrl_ppo(output: str) -> None:
    assert re.search(r"^ +256 steps, mean reward +-[0-9.]+$", output, re.MULTILINE)
    assert list(returns(output)) == ["reject-all", "guard", "PPO"]


def check_render_video(output: str) -> None:
    """The first frame, and one after each of the toy's slots."""
    assert output.startswith("animation.gif: 5 frames, ")


def check_evaluate_baselines(output: str) -> None:
    """Sorted, and the toy's values are known by hand."""
    scores = returns(output)
    assert scores.pop("random") < -3.8
    assert scores == {"greedy-oracle": -3.8, "guard": -6.16, "reject-all": -10.0}
    lines = [float(value) for value in re.findall(r"mean return +(\S+)", output)]
    assert lines == sorted(lines, reverse=True)


def check_custom_scheduler(output: str) -> None:
    """Twelve episodes are enough to see that it saves energy."""
    rows = re.findall(r"^(\S+) .* \[([^,]+), ([^]]+)\]$", output, re.MULTILINE)
    assert [row[0] for row in rows] == [
        "return",
        "generalization_error",
        "energy_j",
        "delay_slots",
    ]
    assert float(rows[2][2]) < 0.0


def check_custom_tasks(output: str) -> None:
    """Without drift `guard` is far better than rejecting everything, after half a turn worse."""
    _, names, *rows = output.splitlines()
    guard, reject_all = (names.split().index(name) for name in ("guard", "reject-all"))
    still, turning = ([float(value) for value in row.split()[1:]] for row in rows)
    assert still[guard - 1] < 0.5
    assert turning[guard - 1] > 1.0
    assert still[reject_all - 1] == turning[reject_all - 1] == 1.0


def check_custom_reward(output: str) -> None:
    """Whoever keeps experts apart wins while energy is free, and nobody once it is dear."""
    _, cheap, dear = output.splitlines()
    assert "  guard, " in cheap
    assert "  reject-all, " in dear
    assert float(dear.split()[1]) < float(cheap.split()[1])


def check_pettingzoo_stations(output: str) -> None:
    """Stations that have hardly learned stay within what is possible."""
    scores = returns(output)
    assert output.startswith("2 stations, 200 episodes\n")
    assert -20.0 < scores.pop("independent Q-learning") <= -3.8
    assert scores == {"reject-all": -10.0, "guard": -6.16, "greedy-oracle": -3.8}


def check_mo_weight_sweep(output: str) -> None:
    """The front of the toy has six points, the best of the weighted sum among them."""
    header, *rows, last = output.splitlines()
    assert header.split() == ["reward_error", "reward_energy", "reward_delay", "times", "found"]
    points = [[float(value) for value in row.split()] for row in rows]
    assert len(points) == 6
    assert [-2.0, -0.3, -3.0] in [point[:3] for point in points]
    found = sum(int(point[3]) for point in points)
    assert found > 0
    assert last == f"{found} of 3 learned policies lie on the front"


def check_train_digits_moe(output: str) -> None:
    """After one epoch the gates already tell digits better than chance, 10 %."""
    assert "saved digits_moe.npz" in output
    accuracy = re.search(r"^top-2 +([0-9.]+)", output, re.MULTILINE)
    assert accuracy is not None
    assert float(accuracy[1]) > 0.15


def check_recorded_world(output: str) -> None:
    """The files conform, and who keeps types apart errs less than who rejects all."""
    assert "passed: something_is_recorded, data_fit" in output
    lines = {line.split()[0]: line.split()[1:] for line in output.splitlines()[2:]}
    assert lines["reject-all"][1:] == ["100.0%", "0.00"]
    assert float(lines["guard"][0]) < float(lines["reject-all"][0])


CASES: dict[str, tuple[str, Callable[[str], None]]] = {
    "sb3_ppo.py": ("--steps 256 --episodes 2", check_sb3_ppo),
    "maskable_ppo.py": (f"--steps 512 {SMALL}", check_maskable_ppo),
    "cleanrl_ppo.py": (f"--iterations 1 --steps 32 {SMALL}", check_cleanrl_ppo),
    "render_video.py": ("--scenario toy --agent guard", check_render_video),
    "evaluate_baselines.py": (
        "--scenario toy --agents reject-all,random,guard,greedy-oracle --episodes 3",
        check_evaluate_baselines,
    ),
    "custom_scheduler.py": ("--seeds 12", check_custom_scheduler),
    "custom_tasks.py": ("--turns 0,180 --seeds 4", check_custom_tasks),
    "recorded_world.py": ("--slots 40 --seeds 4", check_recorded_world),
    "custom_reward.py": (
        "--agents guard,reject-all --energy-weights 0,500 --seeds 4",
        check_custom_reward,
    ),
    "pettingzoo_stations.py": ("--episodes 200", check_pettingzoo_stations),
    "mo_weight_sweep.py": ("--weights 3 --episodes 200", check_mo_weight_sweep),
    "train_digits_moe.py": ("--epochs 1", check_train_digits_moe),
}
NEEDS = {"pettingzoo_stations.py": "pettingzoo", "mo_weight_sweep.py": "mo_gymnasium"}
"""Packages of extras that nothing else in the tests needs."""


PUBLIC = {
    "mec_moe_agents",
    "mec_moe_agents.wrappers",
    "mec_moe_env",
    "mec_moe_env.moe",
    "mec_moe_env.sb3",
    "mec_moe_env.tasks",
    "mec_moe_env.testing",
    "mec_moe_env.wrappers",
}
"""What an example may import of this project."""


def imported_modules(source: str) -> set[str]:
    """Return the modules that a source imports, or imports from, wherever it does so."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_need_nothing_deeper_than_the_packages(path: Path) -> None:
    own = {name for name in imported_modules(path.read_text()) if name.startswith("mec_moe")}
    assert own
    assert own <= PUBLIC


@pytest.mark.parametrize("name", mec_moe_agents.__all__)
def test_what_schedulers_of_ones_own_need_is_exported(name: str) -> None:
    assert getattr(mec_moe_agents, name) is not None
    assert name in dir(mec_moe_agents)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'evaluat'"):
        mec_moe_agents.evaluat  # noqa: B018


@pytest.mark.parametrize("name", CASES)
def test_example(name: str, tmp_path: Path) -> None:
    options, check = CASES[name]
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    check(run(name, options, tmp_path))


def test_every_example_has_a_test() -> None:
    present = {path.name for path in EXAMPLES.glob("*.py")}
    assert present == CASES.keys() | TESTED_ELSEWHERE.keys()
    for name, test in TESTED_ELSEWHERE.items():
        assert Path(name).stem in (EXAMPLES.parent / test).read_text(), test


def test_unknown_options_are_refused() -> None:
    command = [sys.executable, str(EXAMPLES / "custom_tasks.py"), "--turn", "x", "--size", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--size" in done.stderr
