"""Networks with random weights, and the untrained models that carry them."""

import numpy as np
import torch
from mec_moe_agents.learned.network import SHAPES
from mec_moe_agents.training.policy import DeepSetNetwork


class Untrained:
    """What `export` needs of a Stable-Baselines3 model."""

    def __init__(self, servers=8, seed=0):
        torch.manual_seed(seed)
        self.policy = torch.nn.Module()
        self.policy.mlp_extractor = DeepSetNetwork(servers)
        with torch.no_grad():
            for parameter in self.policy.parameters():
                parameter.copy_(0.3 * torch.randn(parameter.shape))

    @property
    def network(self):
        return self.policy.mlp_extractor


def arrays(seed=0):
    state = Untrained(seed=seed).network.state_dict()
    return {name: np.asarray(state[name].numpy()) for name in SHAPES}
