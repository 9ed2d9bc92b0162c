"""The examples for other libraries: TorchRL's learns in full, the others run at tiny size."""

from pathlib import Path

from tests.examples.test_examples import returns, run


def test_torchrl_learns_the_optimum(tmp_path: Path) -> None:
    scores = returns(run("torchrl_ppo.py", "", tmp_path))
    assert scores == {"PPO": -3.8, "optimum": -3.8}


def test_skrl_stays_within_what_is_possible(tmp_path: Path) -> None:
    scores = returns(run("skrl_ppo.py", "--iterations 2", tmp_path))
    assert scores["greedy-oracle"] == -3.8
    assert -20.0 < scores["PPO"] <= -3.8
    assert not list(tmp_path.iterdir())


def test_tianshou_stays_within_what_is_possible(tmp_path: Path) -> None:
    scores = returns(run("tianshou_dqn.py", "--steps 400", tmp_path))
    assert scores["greedy-oracle"] == -3.8
    assert -20.0 < scores["DQN"] <= -3.8
