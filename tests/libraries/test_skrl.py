"""skrl tells by the direct bases of a class what it is given."""

from typing import Any

import pytest
from skrl.envs.wrappers.torch import wrap_env
from skrl.envs.wrappers.torch.gymnasium_envs import GymnasiumWrapper

from mec_moe_env import DMoEVectorEnv, OffloadingVectorEnv
from mec_moe_env.wrappers import FlatObservationVector


@pytest.mark.parametrize("make", [OffloadingVectorEnv, DMoEVectorEnv])
def test_native_vector_environments_are_known(make: Any) -> None:
    for env in (make(3, "toy"), FlatObservationVector(make(3, "toy"))):
        wrapped = wrap_env(env, verbose=False)
        assert isinstance(wrapped, GymnasiumWrapper)
        assert wrapped.num_envs == 3
        observation, _ = wrapped.reset()
        assert observation.shape[0] == 3
