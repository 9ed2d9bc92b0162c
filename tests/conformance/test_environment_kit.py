"""The kit catches every broken stream, world and environment, and passes the project's own."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig
from mec_moe_env.tasks import ArrayTasks
from mec_moe_env.testing import (
    ConformanceError,
    check_scenario,
    check_task_stream,
    check_world,
    failures,
    parametrize_with_checks,
    scenario_checks,
    task_stream_checks,
    world_checks,
    worlds,
)
from mec_moe_env.testing.broken_environments import (
    CONFIG,
    BrokenEnvironment,
    broken_environments,
)
from mec_moe_env.testing.broken_streams import BrokenStream, Honest, Locked, broken_streams
from mec_moe_env.testing.broken_worlds import BrokenWorld, broken_worlds, sound_world
from mec_moe_env.testing.scenarios import SCENARIO_CHECKS
from mec_moe_env.testing.streams import STREAM_CHECKS
from tests.worlds.recorded import SIZES, write_arrivals, write_trace

EXAMPLES = Path(__file__).parents[2] / "examples"
STREAMS, WORLDS, ENVIRONMENTS = broken_streams(), broken_worlds(), broken_environments()
CHEAP = ("default", "joint", "congested", "toy")


@pytest.mark.parametrize("broken", STREAMS, ids=lambda broken: "-".join(broken.fails))
def test_a_broken_stream_fails_as_it_should(broken: BrokenStream) -> None:
    assert set(failures(task_stream_checks(broken.stream))) == set(broken.fails)


@pytest.mark.parametrize("broken", WORLDS, ids=lambda broken: broken.name)
def test_a_broken_world_fails_as_it_should(broken: BrokenWorld, tmp_path: Path) -> None:
    found = failures(world_checks(broken.write(tmp_path)))
    assert set(found) == set(broken.fails)
    for words in broken.says:
        assert words in found[broken.fails[0]]


@pytest.mark.parametrize("broken", ENVIRONMENTS, ids=lambda broken: broken.make.__name__)
def test_a_broken_environment_fails_as_it_should(broken: BrokenEnvironment) -> None:
    found = failures(scenario_checks(broken.config, broken.make))
    assert set(found) == set(broken.fails), found


def test_every_check_has_a_specimen() -> None:
    """With exact sets above, a check that is switched off fails a test by name."""
    for checks, specimens in ((STREAM_CHECKS, STREAMS), (SCENARIO_CHECKS, ENVIRONMENTS)):
        caught = {name for specimen in specimens for name in specimen.fails}
        assert caught == {check.__name__ for check in checks}


@pytest.mark.parametrize(
    ("reader", "check"),
    [
        ("read_positions", "positions_are_shown"),
        ("read_channel_trace", "channel_is_shown"),
        ("read_arrivals", "arrivals_are_shown"),
    ],
)
def test_an_environment_that_shows_another_world_is_caught(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reader: str, check: str
) -> None:
    config = sound_world(tmp_path)
    read = getattr(worlds, reader)

    def shifted(*arguments: Any) -> Any:
        found = read(*arguments)
        if reader == "read_arrivals":
            return found._replace(types=(found.types + 1) % config.num_types)
        return np.roll(found, 1, axis=0)

    monkeypatch.setattr(worlds, reader, shifted)
    assert set(failures(world_checks(config))) == {check}


@pytest.mark.parametrize("start", ["first", "random"])
def test_sound_worlds_pass(tmp_path: Path, start: str) -> None:
    assert len(check_world(sound_world(tmp_path).override(trace_start=start))) == 6
    trace = write_trace(tmp_path, rate=np.random.default_rng(0).uniform(1e5, 9e6, (9, 9, 2)))
    fields: dict[str, Any] = {"num_nodes": 3, "num_subcarriers": 2, "csi_delay": 2}
    check_world(DMoEConfig(**fields, channel_trace=trace, trace_start=start))
    fewer = OffloadingConfig(**SIZES, arrivals=write_arrivals(tmp_path), channel_trace=trace)
    check_world(fewer.override(trace_start=start))
    check_scenario(fewer)


@pytest.mark.parametrize("name", CHEAP)
def test_presets_of_offloading_pass(name: str) -> None:
    check_scenario(OFFLOADING_PRESETS[name])


@pytest.mark.parametrize("name", ["default", "digits-moe", "toy"])
def test_presets_of_dmoe_pass(name: str) -> None:
    check_scenario(DMOE_PRESETS[name])


def test_our_streams_pass() -> None:
    example = runpy.run_path(str(EXAMPLES / "custom_tasks.py"))
    config = OffloadingConfig()
    drifting = example["DriftingTasks"](config.num_types, config.feature_dim, step=0.1)
    check_task_stream(drifting, config, expected_failures={"pickles": "its module is a script"})
    check_task_stream(Honest())


def test_labelled_arrays_make_a_scenario() -> None:
    rng = np.random.default_rng(0)
    tasks = ArrayTasks(rng.normal(size=(200, 3)), np.arange(200) % 6)
    check_scenario(OffloadingConfig(tasks=tasks, num_types=3, feature_dim=3, horizon=5))


@parametrize_with_checks(
    task_stream_checks(Locked()), expected_failures={"pickles": "it holds a lock"}
)
def test_the_decorator_makes_a_test_of_each_check(check: Any) -> None:
    check()


def test_expected_failures_are_kept_true() -> None:
    passed = check_task_stream(Locked(), expected_failures={"pickles": "it holds a lock"})
    assert len(passed) == len(STREAM_CHECKS) - 1
    with pytest.raises(ConformanceError, match=r"pickles: TypeError: cannot pickle"):
        check_task_stream(Locked())
    with pytest.raises(ConformanceError, match=r"pickles: passes, though .*\(an old fault\)"):
        check_task_stream(Honest(), expected_failures={"pickles": "an old fault"})
    with pytest.raises(ValueError, match="there is no check 'pickle': known: environment_is"):
        check_scenario(CONFIG, expected_failures={"pickle": "a slip of the pen"})
