"""The DMoE layer written a second time, slowly and by definition: the tests' oracle.

It reads the exogenous process from the simulator (scores, channel, failures) and works out by
itself what the scheduler's picks lead to, and what the reward measures them by.
"""

from __future__ import annotations

import numpy as np

from mec_moe_env import DMoEEnv

Token = tuple[int, int]
"""Source, and place among its tokens."""


def expected_layer(env: DMoEEnv, action: np.ndarray) -> dict[str, float]:
    """Work out by definition what an action costs and brings; call before `env.step`."""
    config, now = env.config, env._simulator.exogenous
    layer, available = env._simulator.state.layer[0], now.nodes["available"][0]
    I, Q, D = config.expert_shape
    K = config.num_nodes
    picks = action[: I * Q * D].reshape(I, Q, D)
    subcarriers = action[I * Q * D :].reshape(I, K)
    chosen: dict[Token, set[int]] = {}
    dropped = lost = 0
    for i, q in np.ndindex(I, Q):
        chosen[i, q] = {int(j) for j in picks[i, q] if j < K and available[j]}
        dropped += sum(j < K for j in picks[i, q]) - len(chosen[i, q])
    sent, owner = 0.0, dict[int, tuple[int, int]]()
    for i, j in np.ndindex(I, K):
        tokens = [q for q in range(Q) if j in chosen[i, q]]
        if i == j or not tokens:
            continue
        s = int(subcarriers[i, j])
        if s in owner:
            dropped += len(tokens)
            for q in tokens:
                chosen[i, q].remove(j)
            continue
        owner[s] = (i, j)
        bits = config.state_bits * len(tokens)
        rates = [float(now.spectral_efficiency[0, now.now[0], i, j, s])]
        if config.count_backward:
            rates.append(float(now.return_efficiency[0, i, j, s]))
        seconds = sum(bits / (config.bandwidth_hz * rate) for rate in rates)
        sent += config.power_w * min(seconds, config.deadline_seconds)
        if seconds > config.deadline_seconds:
            lost += len(tokens)
            for q in tokens:
                chosen[i, q].remove(j)
    relevance = {
        token: sum(now.gates[0, layer][token][j] for j in experts)
        for token, experts in chosen.items()
    }
    computed = sum(now.nodes["joules"][0, j] for experts in chosen.values() for j in experts)
    missed = missed_shares(env, relevance)
    wanted = {token: wanted_by(env, token)[0] for token in chosen}
    unit, charged = reference_joules(env), charged_joules(missed, reserves(env))
    expected = {
        "energy_j": sent + computed,
        "transmission_energy_j": sent,
        "reward_energy": -(sent + computed) / unit,
        "relevance": np.mean(list(relevance.values())),
        "shortfall": np.mean([wanted[token] * share for token, share in missed.items()]),
        "violated": np.mean([share > 0 for share in missed.values()]),
        "cost": sum(share > 0 for share in missed.values()),
        "experts_per_token": np.mean([len(experts) for experts in chosen.values()]),
        "dropped_picks": dropped,
        "lost_states": lost,
        "unserved": sum(not experts for experts in chosen.values()),
    }
    return expected if config.gates == "digits" else expected | {"reward_error": -charged / unit}


def wanted_by(env: DMoEEnv, token: Token) -> tuple[float, list[int]]:
    """Return t_q of a token (source, place), and its Top-D."""
    config, now = env.config, env._simulator.exogenous
    layer = env._simulator.state.layer[0]
    scores, available = now.gates[0, layer][token], now.nodes["available"][0]
    ranked = sorted(np.flatnonzero(available).tolist(), key=lambda j: -scores[j])
    best = ranked[: config.max_experts]
    threshold = config.qos * config.layer_importance[layer]
    return min(threshold, float(sum(scores[j] for j in best))), best


def missed_shares(env: DMoEEnv, relevance: dict[Token, float]) -> dict[Token, float]:
    """Return m_q of every token."""
    shares = {}
    for token, reached in relevance.items():
        wanted, _ = wanted_by(env, token)
        share = max(wanted - reached, 0.0) / wanted if wanted > 0 else 0.0
        shares[token] = share if share > 1e-6 else 0.0
    return shares


def state_joules(env: DMoEEnv, i: int, j: int) -> np.ndarray:
    """Return joules of sending a state of source i to node j, by subcarrier, (S,)."""
    config, now = env.config, env._simulator.exogenous
    seconds = 1 / now.spectral_efficiency[0, now.now[0], i, j].astype(float)
    if config.count_backward:
        seconds = seconds + 1 / now.return_efficiency[0, i, j].astype(float)
    bits = config.state_bits * float(i != j)
    return np.asarray(config.power_w * bits / config.bandwidth_hz * seconds)


def reserves(env: DMoEEnv) -> dict[Token, float]:
    """Return ρ_q, what serving each token by its Top-D takes at most."""
    config = env.config
    I, Q, D = config.expert_shape
    K, joules = config.num_nodes, env._simulator.exogenous.nodes["joules"][0]
    rank = min(I * (K - 1), I * Q * D, config.num_subcarriers)

    def serving(i: int, j: int) -> float:
        return float(joules[j] + np.sort(state_joules(env, i, j))[rank - 1])

    return {
        (i, q): sum(serving(i, j) for j in wanted_by(env, (i, q))[1]) for i, q in np.ndindex(I, Q)
    }


def reference_joules(env: DMoEEnv) -> float:
    """Return what a joule is measured by."""
    config, nodes = env.config, env._simulator.exogenous.nodes[0]
    if config.gates != "digits":
        return sum(reserves(env).values()) or 1.0
    I, Q, D = config.expert_shape
    usable = np.flatnonzero(nodes["available"]).tolist()
    if not usable:
        return float(config.num_layers)
    means = [
        np.mean([nodes["joules"][j] + state_joules(env, i, j).min() for j in usable])
        for i in range(I)
    ]
    return config.num_layers * Q * min(D, len(usable)) * float(sum(means))


def charged_joules(missed: dict[Token, float], reserve: dict[Token, float]) -> float:
    """Return what violated thresholds are charged, by m_q and ρ_q."""
    return sum(reserve[token] * (1 + share) for token, share in missed.items() if share > 0)
