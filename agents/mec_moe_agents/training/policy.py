"""The deep-set policy for Stable-Baselines3, and the weights that it may begin with.

Servers are interchangeable: each is embedded by the same weights, all are pooled, and each is
scored by the same weights again (a deep set), so that the policy is permutation-equivariant and
one set of weights fits any M and S. On the command line it is `--policy shape`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from mec_moe_agents.offloading.features import CONTEXT, OF_SERVER, SERVER
from mec_moe_agents.offloading.learned import FOLDER, presets
from mec_moe_agents.offloading.network import SUFFIX, load
from mec_moe_agents.training.plan import Plan

HIDDEN = 32
"""Units of a layer."""
IMPOSSIBLE = -1e8
ADAM_EPSILON = 1e-8
"""Stable-Baselines3 takes 1e-5: clipped by a large gradient of the critic, that of the actor falls
below it, and the policy stands still."""
PRIOR = 2.0
"""A new policy prefers servers of the task's own cluster to untrained ones, those to a rejection,
and that to servers of another cluster, by this much or more: otherwise training first learns to
reject everything."""


class Tower(nn.Module):
    """Embeds the servers and pools them."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.embed_server = nn.Linear(SERVER, hidden)
        self.embed_context = nn.Linear(CONTEXT, hidden)
        self.pool = nn.Linear(2 * hidden, hidden)
        self.pool_context = nn.Linear(CONTEXT, hidden)

    def forward(
        self, context: torch.Tensor, servers: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the embedding of each server, (n, M, h), and of the whole, (n, h)."""
        each = torch.relu(self.embed_server(servers) + self.embed_context(context).unsqueeze(1))
        pooled = torch.cat([each.mean(dim=1), each.amax(dim=1)], dim=1)
        return each, torch.relu(self.pool(pooled) + self.pool_context(context))


class DeepSetNetwork(nn.Module):
    """Logits of M servers and of none from the features of a decision, and their value."""

    def __init__(self, servers: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.latent_dim_pi = servers + 1
        self.latent_dim_vf = 1
        self.actor = Tower(hidden)
        self.mix_server = nn.Linear(hidden, hidden)
        self.mix_pool = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1)
        self.skip = nn.Linear(SERVER, 1, bias=False)
        self.reject = nn.Linear(hidden, 1)
        self.critic = Tower(HIDDEN)
        self.value = nn.Linear(HIDDEN, 1)
        for layer in (self.score, self.reject):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.skip.weight)
        nn.init.constant_(self.reject.bias, -PRIOR)
        with torch.no_grad():
            self.skip.weight[0, OF_SERVER.own] = PRIOR
            self.skip.weight[0, OF_SERVER.foreign] = -3 * PRIOR

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (n, M + 1) and values (n, 1)."""
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n, M + 1); a server that cannot take the task has none."""
        context, servers = split(features)
        each, whole = self.actor(context, servers)
        each = torch.relu(self.mix_server(each) + self.mix_pool(whole).unsqueeze(1))
        scores = (self.score(each) + self.skip(servers)).squeeze(-1)
        scores = torch.where(servers[..., OF_SERVER.available] > 0, scores, IMPOSSIBLE)
        return torch.cat([scores, self.reject(whole)], dim=1)

    def forward_critic(self, features: torch.Tensor) -> torch.Tensor:
        """Return the values, (n, 1)."""
        _, whole = self.critic(*split(features))
        values: torch.Tensor = self.value(whole)
        return values


def split(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return context (n, CONTEXT) and servers (n, M, SERVER) of flat features."""
    return features[:, :CONTEXT], features[:, CONTEXT:].reshape(len(features), -1, SERVER)


class DeepSetHead:
    """Puts the deep set into a policy of Stable-Baselines3, whose base it precedes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "ortho_init": False})

    def _build_mlp_extractor(self: Any) -> None:
        """Put the network in place of the layers after the features."""
        self.mlp_extractor = DeepSetNetwork(int(self.action_space.n) - 1)

    def _build(self: Any, lr_schedule: Any) -> None:
        """Let the network's outputs be logits and value, and optimise its weights alone."""
        super()._build(lr_schedule)  # type: ignore[misc]
        self.action_net, self.value_net = nn.Identity(), nn.Identity()
        self.optimizer = self.optimizer_class(
            self.parameters(), lr=lr_schedule(1), **{**self.optimizer_kwargs, "eps": ADAM_EPSILON}
        )


class DeepSetPolicy(DeepSetHead, ActorCriticPolicy):  # type: ignore[misc]
    """Actor and critic of PPO and A2C."""


class MaskableDeepSetPolicy(DeepSetHead, MaskableActorCriticPolicy):  # type: ignore[misc]
    """Actor and critic of MaskablePPO."""


DEEP_SET_POLICIES: Mapping[str, type[Any]] = MappingProxyType(
    {"ppo": DeepSetPolicy, "a2c": DeepSetPolicy, "maskable-ppo": MaskableDeepSetPolicy}
)


def deep_set_policy(algo: str) -> type[Any]:
    """Return the class of the deep-set policy for an algorithm; ValueError if it has none."""
    if algo not in DEEP_SET_POLICIES:
        raise ValueError(f"algo = {algo!r} has no deep-set policy: {', '.join(DEEP_SET_POLICIES)}")
    return DEEP_SET_POLICIES[algo]


def find_weights(start: str) -> Path:
    """Return the file that the name of a preset with shipped weights, or a path, stands for."""
    if start in presets():
        return FOLDER / f"{start}{SUFFIX}"
    path = Path(start)
    if path.suffix != SUFFIX or not path.is_file():
        raise ValueError(
            f"--from {start!r} is neither a {SUFFIX} file nor a preset with shipped weights "
            f"({', '.join(presets()) or 'there are none'})"
        )
    return path


def digest(path: Path) -> str:
    """Return what tells these weights from others."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def begin_from(plan: Plan, model: Any) -> None:
    """Give a model with fresh weights the actor that its plan begins with, if any; not the critic.

    Raises:
        ValueError: the file is missing, damaged, of another shape, or not what it was when the
            plan was made.
    """
    if plan.start is None:
        return
    path = find_weights(plan.start)
    if digest(path) != plan.start_digest:
        raise ValueError(f"--from {plan.start}: {path} has changed since this run was begun")
    network: DeepSetNetwork = model.policy.mlp_extractor
    state = network.state_dict()
    for name, array in load(path).weights.items():
        if state[name].shape != array.shape:
            raise ValueError(
                f"array {name!r} has shape {array.shape}, expected {tuple(state[name].shape)}"
            )
        state[name] = torch.from_numpy(array.copy())
    network.load_state_dict(state)
