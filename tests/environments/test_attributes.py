"""What the sub-environments of a native vector environment have, asked as of Gymnasium's own."""

import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv, VectorEnv
from mec_moe_agents.dmoe.importance import ImportanceActionVector
from mec_moe_agents.wrappers import GateObservationVector

from mec_moe_env.core.autoreset import AutoresetMode, read_mode
from mec_moe_env.offloading.flat import FlatOffloadingVectorEnv
from mec_moe_env.wrappers import FlatActionVector, FlatObservationVector, MaskedObservationVector
from tests.environments.catalogue import DMOE, OFFLOADING, SCALAR, VECTOR

LAYERS: dict[str, Any] = {
    "flat action": lambda mode: FlatActionVector(VECTOR[OFFLOADING](2, autoreset_mode=mode)),
    "flat observation": lambda mode: FlatObservationVector(VECTOR[DMOE](2, autoreset_mode=mode)),
    "masked": lambda mode: MaskedObservationVector(VECTOR[OFFLOADING](2, autoreset_mode=mode)),
    "gate": lambda mode: GateObservationVector(VECTOR[OFFLOADING](2, autoreset_mode=mode)),
    "importance": lambda mode: ImportanceActionVector(VECTOR[DMOE](2, autoreset_mode=mode)),
    "two": lambda mode: FlatActionVector(
        GateObservationVector(VECTOR[OFFLOADING](2, autoreset_mode=mode))
    ),
    "flat id": lambda mode: FlatOffloadingVectorEnv(2, autoreset_mode=mode),
}


@pytest.mark.parametrize("id_", [OFFLOADING, DMOE])
def test_calls_equal_sync_vector_env(id_: str) -> None:
    ours, theirs = VECTOR[id_](3), SyncVectorEnv([SCALAR[id_]] * 3)
    ours.reset(seed=4)
    theirs.reset(seed=4)
    methods = ["action_masks"] + (["model_errors", "rejection_errors"] if id_ == OFFLOADING else [])
    for name in (*methods, "np_random_seed", "config", "episode_steps", "render_mode"):
        mine = ours.call(name)
        assert isinstance(mine, tuple)
        np.testing.assert_equal(mine, theirs.call(name))
        np.testing.assert_equal(ours.get_attr(name), mine)
    for name in ("action_space", "observation_space"):
        assert ours.get_attr(name) == theirs.get_attr(name)
    states = [
        [generator.bit_generator.state for generator in env.get_attr("np_random")]
        for env in (ours, theirs)
    ]
    assert states[0] == states[1]
    assert [str(scene) for scene in ours.call("scene")] == [
        str(scene) for scene in theirs.call("scene")
    ]


def test_attributes_are_common() -> None:
    env = VECTOR[OFFLOADING](3)
    env.set_attr("note", "kept")
    assert env.get_attr("note") == ("kept",) * 3
    env.set_attr("note", ["new"] * 3)
    assert env.note == "new"
    with pytest.raises(ValueError, match="note is common to all sub-environments"):
        env.set_attr("note", [1, 2, 3])
    with pytest.raises(ValueError, match="note is common .* 3 times"):
        env.set_attr("note", [1, 1])
    for name in ("config", "horizon", "failure_rate"):
        with pytest.raises(ValueError, match=f"{name} is fixed: it belongs to the scenario"):
            env.set_attr(name, 3)


@pytest.mark.parametrize("layer", ["bare", "masked"])
@pytest.mark.parametrize("name", ["num_envs", "action_space", "autoreset_mode", "metadata"])
def test_what_an_environment_is_built_for_stays(name: str, layer: str) -> None:
    bare = VECTOR[OFFLOADING](2)
    env: Any = bare if layer == "bare" else MaskedObservationVector(bare)
    with pytest.raises(ValueError, match=f"{name} is fixed: the environment is built for it"):
        env.set_attr(name, 7)
    env.reset(seed=0)
    assert env.num_envs == 2


def test_counts_are_those_that_fields_take_too() -> None:
    """A count in an array without axes is one; one in a list, or a fraction, is none."""
    env = VECTOR[OFFLOADING](np.array(2), num_threads=np.array(1))
    assert env.num_envs == 2
    assert isinstance(env.num_envs, int)
    for bad in (np.array([2]), np.array(2.0), True):
        with pytest.raises(ValueError, match="num_envs = .* is not allowed"):
            VECTOR[OFFLOADING](bad)


def test_what_no_sub_environment_has() -> None:
    env = VECTOR[OFFLOADING](2)
    env.reset(seed=0)
    for name in ("reset", "step", "close", "render"):
        with pytest.raises(TypeError, match=f"{name}.* is for all sub-environments at once"):
            env.call(name)
    with pytest.raises(AttributeError, match="nothing"):
        env.get_attr("nothing")
    env.reset(seed=0)


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("name", LAYERS)
def test_wrappers_answer_too(name: str, mode: AutoresetMode) -> None:
    env = LAYERS[name](mode)
    assert env.autoreset_mode is mode
    assert env.metadata["autoreset_mode"] is mode
    env.reset(seed=7)
    assert env.get_attr("episode_steps") == (env.unwrapped.episode_steps,) * 2
    assert env.np_random_seed == env.get_attr("np_random_seed") == (7, 8)
    masks = env.call("action_masks")
    np.testing.assert_array_equal(masks, env.get_attr("action_masks"))
    if "flat" in name or name == "two":
        assert env.get_attr("action_space") == (env.single_action_space,) * 2
    if hasattr(env, "action_masks"):
        np.testing.assert_array_equal(masks, env.action_masks())
    env.set_attr("note", 5)
    assert env.unwrapped.note == 5


@pytest.mark.parametrize("kind", [*VECTOR.values(), FlatOffloadingVectorEnv])
def test_gymnasiums_class_is_a_direct_base(kind: type) -> None:
    """It is there that skrl looks for what it may wrap."""
    assert VectorEnv in kind.__bases__


def test_modes_by_name() -> None:
    for mode in AutoresetMode:
        assert read_mode(mode) is read_mode(mode.value) is read_mode(mode.name.lower()) is mode
    with pytest.raises(ValueError, match="autoreset_mode = 'never' is not allowed"):
        read_mode("never")
    assert AutoresetMode is getattr(gym.vector, "AutoresetMode", AutoresetMode)


def test_gymnasium_1_0_which_knows_no_modes() -> None:
    """Its `gymnasium.vector` has no `AutoresetMode`; what is modelled on it serves."""
    script = (
        "import gymnasium.vector\n"
        "vars(gymnasium.vector).pop('AutoresetMode', None)\n"
        "import mec_moe_env\n"
        "env = mec_moe_env.OffloadingVectorEnv(2, 'toy', autoreset_mode='same_step')\n"
        "assert type(env.autoreset_mode).__module__ == 'mec_moe_env.core.autoreset'\n"
        "env.reset(seed=0)\n"
        "ends = [env.step(env.action_space.sample())[4].get('final_obs') for _ in range(4)]\n"
        "assert ends[:3] == [None] * 3 and ends[3][1]['progress'] == 1.0\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
