"""What a replay shows is what the environment did."""

import numpy as np
import pytest
from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.replay.episode import play
from mec_moe_agents.replay.recording import KEEPERS, MOST_CHANNEL_NUMBERS, Columns, record

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS
from mec_moe_env.config import Config

TOY = OFFLOADING_PRESETS["toy"]
BUSY = OFFLOADING_PRESETS["joint"].override(horizon=40, failure_rate=0.1, num_subcarriers=4)
LAYERS = DMOE_PRESETS["contended"].override(num_layers=3, failure_rate=0.2)


def test_toy_worked_out_by_hand() -> None:
    """`nearest` serves in place until in slot 2 server 1 trains for a second slot.

    Server 0 computes for 0.05 s and 0.1 J, server 1 for 0.15 s and 0.2 J. Slots last 0.1 s; sending
    takes 0.2 s over subcarrier 0 and 0.4 s over subcarrier 1, which is what slot 3 finds, at 0.1 W.
    Nothing is busy for more than 5 slots.
    """
    run = record(TOY, ["nearest"], 0).runs[0]
    assert run["type"].tolist() == [[0], [1], [0], [1]]
    assert run["origin"].tolist() == [[0], [1], [1], [0]]
    assert run["server"].tolist() == [[0], [1], [0], [1]]
    assert run["subcarrier"].tolist() == [[-1], [-1], [0], [1]]
    assert run["kept"].all()
    assert run["slots"].tolist() == [[1], [2], [3], [5]]
    np.testing.assert_allclose(run["joules"][:, 0], [0.1, 0.2, 0.12, 0.24])
    assert run["busy_until"].tolist() == [[0, 0], [0, 0], [0, 3], [5, 0]]
    assert run["subcarrier_until"].tolist() == [[0, 0], [0, 0], [0, 0], [4, 0]]
    assert run["link_origin"].tolist() == [[-1, -1], [-1, -1], [-1, -1], [1, -1]]
    assert run["learned_type"].tolist() == [[-1, -1], [0, -1], [0, -1], [0, 1]]
    assert run["training"].tolist() == [[-1, -1], [-1, -1], [-1, 1], [0, -1]]
    # The models of zero err by ‖(2, 0)‖² and ‖(0, 1)‖²; server 0 has then learned type 0.
    np.testing.assert_allclose(run["model_error"][:, 0], [4.0, 1.0, 0.0, 0.0], atol=1e-12)


def test_rejecting_everything_worked_out_by_hand() -> None:
    run = record(TOY, ["reject-all"], 0).runs[0]
    assert (run["server"] == -1).all()
    np.testing.assert_allclose(run["return"], [-4.0, -5.0, -9.0, -10.0])
    np.testing.assert_allclose(run["generalization_error"], [4.0, 2.5, 3.0, 2.5])
    np.testing.assert_allclose(run["term_error"], [-4.0, -1.0, -4.0, -1.0])


@pytest.mark.parametrize(
    ("config", "agent"), [(BUSY, "des"), (BUSY, "random"), (LAYERS, "jesa"), (LAYERS, "random")]
)
def test_a_run_is_the_episode_that_evaluation_sees(config: Config, agent: str) -> None:
    run = record(config, [agent], 5).runs[0]
    episode = evaluate(agent, config, [5])
    np.testing.assert_allclose(run["return"][-1], episode.metrics["return"][0], rtol=1e-12)
    np.testing.assert_allclose(run["energy_j"].sum(), episode.metrics["energy_j"][0], rtol=1e-12)
    terms = sum(run[name] for name in run if name.startswith("term_"))
    np.testing.assert_allclose(terms, run["reward"], rtol=1e-12)


def test_energy_and_counts_of_the_picks_are_those_of_the_info() -> None:
    run = record(BUSY, ["random"], 5).runs[0]
    np.testing.assert_allclose(run["joules"].sum(axis=1), run["energy_j"])
    asked = run["server"] >= 0
    np.testing.assert_array_equal((asked & ~run["kept"]).sum(axis=1), run["dropped_picks"])
    served = run["kept"].reshape(len(asked), BUSY.num_tasks, -1).any(axis=2).sum(axis=1)
    np.testing.assert_array_equal(served, run["accepted"])
    assert run["lost"].sum() > 0


def test_picks_are_never_of_what_is_busy() -> None:
    run = record(BUSY, ["random"], 6).runs[0]
    slots, places = np.nonzero(run["kept"])
    servers, subcarriers = run["server"][slots, places], run["subcarrier"][slots, places]
    assert (run["busy_until"][slots, servers] <= slots).all()
    assert run["working"][slots, servers].all()
    sent = subcarriers >= 0
    assert (run["subcarrier_until"][slots[sent], subcarriers[sent]] <= slots[sent]).all()


def test_a_layer_is_recorded_as_it_was_carried_out() -> None:
    run = record(LAYERS, ["random"], 5).runs[0]
    gates = run["gate"] / 65535
    np.testing.assert_allclose((gates * run["chosen"]).sum(axis=3), run["relevance_of"], atol=1e-4)
    np.testing.assert_array_equal(run["short"].sum(axis=(1, 2)), run["cost"])
    experts = run["chosen"].sum(axis=3).mean(axis=(1, 2))
    np.testing.assert_allclose(experts, run["experts_per_token"])
    held = (run["holder"] >= 0).sum(axis=1)
    np.testing.assert_array_equal(held, run["delivered"].sum(axis=(1, 2)))
    np.testing.assert_allclose(
        run["link_joules"].sum(axis=(1, 2)), run["transmission_energy_j"], rtol=1e-12
    )


@pytest.mark.parametrize("config", [BUSY, LAYERS])
def test_both_agents_meet_the_same_world(config: Config) -> None:
    shared = record(config, ["des", "random"], 5).shared
    world = {"type", "origin", "payload", "working", "position"}
    assert (world if config is BUSY else {"available", "gate", "channel"}) <= shared.keys()


def test_what_differs() -> None:
    recording = record(BUSY, ["des", "random"], 5)
    one, other = recording.runs
    expected = [t for t in range(BUSY.horizon) if not alike(one, other, t)]
    assert recording.differs == expected != []
    assert record(BUSY, ["des", "des"], 5).differs == []
    assert record(BUSY, ["des"], 5).differs == []
    assert all(not own for own in record(BUSY, ["des", "des"], 5).own)


def alike(one: Columns, other: Columns, slot: int) -> bool:
    names = ("server", "subcarrier", "kept")
    return all((one[name][slot] == other[name][slot]).all() for name in names)


@pytest.mark.parametrize(
    ("agents", "count"), [([], "0: nobody"), (["des"] * 3, "3: des, des, des")]
)
def test_one_or_two_agents(agents: list[str], count: str) -> None:
    with pytest.raises(ValueError, match=f"one agent or two side by side, --agents names {count}"):
        record(BUSY, agents, 5)


def test_seeds_of_training_are_refused() -> None:
    with pytest.raises(ValueError, match="those above are for training"):
        record(TOY, ["nearest"], 2**31)


@pytest.mark.parametrize("config", [TOY, LAYERS])
def test_no_column_hides_another(config: Config) -> None:
    agent = "random"
    frame = next(play(config, agent, 0))
    keeper = KEEPERS["offloading" if config is TOY else "dmoe"]
    kept = keeper.row(frame, config, with_channel=True).keys() | keeper.fixed(frame).keys()
    account = frame.after.account
    assert not kept & {*account.last, "reward", "return"}


def test_a_channel_that_is_too_large_is_left_out() -> None:
    # 200 slots of 1 × 1,024 × 256 numbers.
    config = OFFLOADING_PRESETS["massive"]
    assert config.steps * config.num_servers * config.num_subcarriers > MOST_CHANNEL_NUMBERS
    assert "channel" not in record(config.override(horizon=4, num_types=2), ["random"], 0).runs[0]
    assert "channel" in record(TOY, ["random"], 0).runs[0]
