"""Behaviour cloning on a Minari dataset: how close a network comes to who made it.

    pip install 'mec-moe-env[cli,collect,rl]'
    mec-moe collect --scenario default --agents nearest,guard --seeds 200
    python examples/behaviour_cloning.py --data runs/datasets/mec-moe/default/nearest-v0/data

The network sees one observation and the mask, and is fitted to the dataset's actions. Every tenth
episode is kept for measuring how often it decides as the agent did. Returns are of seeds below
2^31, which no dataset has; there the agent, its clone and `random` meet the same tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import minari
import numpy as np
import torch
from mec_moe_agents import estimate_mean, evaluate, read_arguments
from numpy.typing import NDArray
from torch import nn

from mec_moe_env import DMoEConfig, OffloadingConfig

HELD_OUT = 10
"""One episode of so many is not learned from."""
BATCH = 256


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    data: str = "runs/datasets/mec-moe/default/nearest-v0/data"
    """Folder of the dataset that `mec-moe collect` wrote."""
    epochs: int = 20
    width: int = 128
    learning_rate: float = 1e-3
    seeds: int = 50
    """Episodes of the comparison."""
    seed: int = 0


class Clone(nn.Module):
    """A network with a softmax for each part of the action, over what the mask allows."""

    def __init__(self, size: int, choices: NDArray[np.int64], width: int) -> None:
        super().__init__()
        self.choices = choices.tolist()
        self.layers = nn.Sequential(
            *(nn.Linear(size, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()),
            nn.Linear(width, sum(self.choices)),
        )

    def logits(self, entries: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the scores of each part of the action, (n, its choices)."""
        scores = self.layers(entries).masked_fill(~masks, -1e9)
        return torch.split(scores, self.choices, dim=1)

    def predict(self, observation: Any, action_masks: Any) -> tuple[NDArray[np.int64], None]:
        """Act in a batch of rows, as an agent does."""
        rows = torch.as_tensor(flat(observation)), torch.as_tensor(np.asarray(action_masks))
        with torch.no_grad():
            parts = [scores.argmax(dim=1).numpy() for scores in self.logits(*rows)]
        return np.stack(parts, axis=1), None


def flat(observation: Any) -> NDArray[np.float32]:
    """Put the entries of observations beside each other, (n, size)."""
    return np.concatenate([observation[key] for key in sorted(observation)], axis=-1)


def rows(episodes: list[Any]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return what was seen, allowed and done; no action follows the last observation."""
    seen = np.concatenate([flat(each.observations)[:-1] for each in episodes])
    allowed = np.concatenate([each.infos["action_mask"][:-1] for each in episodes])
    done = np.concatenate([each.actions for each in episodes])
    return torch.as_tensor(seen), torch.as_tensor(allowed), torch.as_tensor(done)


def fit(clone: Clone, episodes: list[Any], settings: Arguments) -> None:
    """Minimize the cross-entropy of the dataset's actions."""
    data = torch.utils.data.TensorDataset(*rows(episodes))
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.Adam(clone.parameters(), settings.learning_rate)
    for _ in range(settings.epochs):
        for seen, allowed, done in loader:
            parts = clone.logits(seen, allowed)
            loss = sum(nn.functional.cross_entropy(scores, done[:, place])
                       for place, scores in enumerate(parts))  # fmt: skip
            optimizer.zero_grad()
            loss.backward()  # type: ignore[union-attr]
            optimizer.step()


def agreement(clone: Clone, episode: Any) -> float:
    """Return the share of an episode's steps in which the clone does the same."""
    seen = {key: value[:-1] for key, value in episode.observations.items()}
    same = clone.predict(seen, episode.infos["action_mask"][:-1])[0] == episode.actions
    return float(same.all(axis=1).mean())


def compare(agents: dict[str, Any], config: OffloadingConfig | DMoEConfig, seeds: range) -> None:
    """Print mean returns, and the paired differences to the first agent."""
    first, returns = next(iter(agents)), {}
    for name, agent in agents.items():
        returns[name] = evaluate(agent, config, seeds).metrics["return"]
        mean = estimate_mean(returns[name])
        behind = estimate_mean(returns[name] - returns[first])
        print(
            f"{name:24} mean return {mean.mean:9.2f} [{mean.low:.2f}, {mean.high:.2f}]"
            f"  against {first} {behind.mean:+.2f} [{behind.low:+.2f}, {behind.high:+.2f}]"
        )


def main(settings: Arguments) -> None:
    """Fit a clone, and compare it with the agent of the dataset."""
    torch.manual_seed(settings.seed)
    dataset = minari.MinariDataset(settings.data)
    env: Any = dataset.recover_environment().unwrapped
    episodes = list(dataset)
    kept, learned = episodes[::HELD_OUT], [each for each in episodes if each.id % HELD_OUT]
    size = flat(episodes[0].observations).shape[1]
    clone = Clone(size, env.action_space.nvec, settings.width)
    fit(clone, learned, settings)
    same = estimate_mean(np.array([agreement(clone, each) for each in kept])).times(100)
    name = dataset.storage.metadata["mec_moe"]["agent"]
    print(
        f"{len(learned)} episodes of {name}; on {len(kept)} others the clone decides as {name} in "
        f"{same.mean:.1f} [{same.low:.1f}, {same.high:.1f}] % of steps"
    )
    agents = {name: name, f"clone of {name}": clone, "random": "random"}
    compare(agents, env.config, range(settings.seeds))


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
