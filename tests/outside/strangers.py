"""Schedulers as people write who know the public names alone."""

STRANGER = '''
import numpy as np
from mec_moe_env import unflatten


class BestLink:
    """The idle server with the best link, over its best free subcarrier.

    Args:
        config: of the scenario.
        least: bit/s/Hz below which a task is rejected.
    """

    def __init__(self, config, least: float = 0.0):
        self.config, self.least = config, least

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        slot = unflatten(observation, self.config.observation_shapes)
        idle = (slot["busy"] == 0)[:, :, None] & (slot["subcarrier_busy"] == 0)[:, None]
        rate = np.where(idle, slot["spectral_efficiency"][:, 0], -1.0)
        flat = rate.reshape(len(rate), -1)
        server, subcarrier = np.divmod(flat.argmax(axis=1), rate.shape[2])
        server[flat.max(axis=1) <= self.least] = self.config.num_servers
        return np.stack([server, subcarrier], axis=1), state


class OneByOne:
    """Asked for one row at a time, by a generator of its own."""

    contender = False

    def __init__(self, config, seed):
        self.servers, self.generator = config.num_servers, np.random.default_rng(seed)

    def act(self, observation, action_mask):
        able = np.flatnonzero(action_mask[: self.servers + 1])
        return self.generator.choice(able), np.argmax(action_mask[self.servers + 1 :])


class Masked:
    """Takes the masks of a batch, and nothing else but the observation."""

    def predict(self, observation, action_masks):
        M = len(observation["busy"][0])
        server = action_masks[:, :M + 1].argmax(axis=1)
        return np.stack([server, action_masks[:, M + 1 :].argmax(axis=1)], axis=1), None


class NeedsSize:
    def __init__(self, config, size):
        self.size = size

    def act(self, observation):
        return [0, self.size]


def reject(observation):
    """Take nothing."""
    return [[2, 0]] * len(observation["busy"])


def make_best(config, seeds):
    assert isinstance(seeds, list)
    return BestLink(config)


class Broken:
    def predict(self, observation):
        return np.zeros((len(observation["busy"]), 2), int)


ready = Masked()
nothing = 7
'''
