"""Networks with random weights, and the untrained models that carry them."""

from typing import Any

import numpy as np
import torch
from mec_moe_agents.offloading.network import SHAPES
from mec_moe_agents.training.policy import DeepSetNetwork
from numpy.typing import NDArray


class Untrained:
    """What `export` needs of a Stable-Baselines3 model."""

    def __init__(self, servers: int = 8, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.policy: Any = torch.nn.Module()
        self.policy.mlp_extractor = DeepSetNetwork(servers)
        with torch.no_grad():
            for parameter in self.policy.parameters():
                parameter.copy_(0.3 * torch.randn(parameter.shape))

    @property
    def network(self) -> Any:
        return self.policy.mlp_extractor


def arrays(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    state = Untrained(seed=seed).network.state_dict()
    return {name: np.asarray(state[name].numpy()) for name in SHAPES}
