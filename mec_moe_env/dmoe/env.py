"""The DMoE environments, scalar and vector."""

from __future__ import annotations

from mec_moe_env.core.scalar import SimulatorEnv
from mec_moe_env.core.vector import SimulatorVectorEnv
from mec_moe_env.dmoe.config import DMOE_PRESETS, DMoEConfig
from mec_moe_env.dmoe.simulator import DMoESimulator


class DMoEEnv(SimulatorEnv):
    """Choose experts and subcarriers for every layer of a distributed mixture of experts.

    ## Description
    K edge nodes hold one expert each; the first I of them also hold queries of Q tokens. In each
    of L layers the gate scores every expert's relevance to every token, and the scheduler picks up
    to D experts a token and one OFDMA subcarrier for each link over which hidden states have to
    travel (Qin et al. 2025, arXiv 2503.13421, P1). It pays for transmission and computation, and
    should keep the relevance of each token above z·γ^(l), the threshold of the layer. A token
    without an expert passes the layer unchanged, on the residual path.

    ## Action space
    `MultiDiscrete([K + 1] * (I*Q*D) + [S] * (I*K))`: an expert for each pick (K = none), in the
    order of source, token, pick; then the subcarrier of each link i→j, ignored for i = j and for
    links that carry nothing. Every action is legal: a pick of an unavailable expert, or of one
    that the token already has, is dropped; of two used links on one subcarrier the first in row
    order keeps it and the tokens of the other lose that expert. Both are counted in
    `info["dropped_picks"]`. `action_masks()` gives the flat mask for MaskablePPO, exact for each
    pick taken alone.

    ## Observation space
    A `Dict` of flat float32 `Box`es; `mec_moe_env.unflatten(observation,
    config.observation_shapes)` views them in the shapes given here.

    | key | shape | meaning |
    |---|---|---|
    | `gate` | (I, Q, K) | relevance of each expert to each token, sums to 1 over K |
    | `spectral_efficiency` | (I, K, S) | log2(1 + SNR), bit/s/Hz, `csi_delay` slots old |
    | `compute_energy` | (K,) | joules per token |
    | `available` | (K,) | 1 where the expert can be used |
    | `layer` | (L,) | one-hot; zeros after the last layer, as are the gates |
    | `importance` | (1,) | γ^(l), so that the threshold is z·γ^(l) |

    ## Reward
    −(w_err·error + w_energy·J): J the joules of transmission and computation in the layer; the
    error is the mean shortfall of the tokens' relevance below the threshold. With a real model
    (`digits-moe`) it is instead the cross-entropy of the final output, at the last layer.

    ## Info
    `reward_error`, `reward_energy` (their sum weighted by the config's weights is the reward),
    `energy_j`, `transmission_energy_j`, means over the tokens of `relevance`, `shortfall`,
    `violated` (below the threshold) and `experts_per_token`; `dropped_picks`, `lost_states` (the
    deadline was missed), `unserved` (tokens without an expert), `action_mask`, and with a real
    model `accuracy`: of the answers if the hidden states were classified now.

    ## Starting state
    New node positions, shadowing, energies, and a new batch of queries.

    ## Episode end
    `terminated` after the last layer.

    ## Arguments
    `scenario`: the name of a preset, or a `DMoEConfig`; any config field as a keyword overrides
    it: `gym.make("mec_moe/DMoE-v0", scenario="paper", importance=0.7)`.

    ## Version history
    * v0: initial version.
    """

    config: DMoEConfig
    _presets = DMOE_PRESETS
    _builder = DMoESimulator
    _simulator: DMoESimulator


class DMoEVectorEnv(SimulatorVectorEnv):
    """`num_envs` copies of `DMoEEnv`, equal in every value to a `SyncVectorEnv` of them."""

    config: DMoEConfig
    _presets = DMOE_PRESETS
    _builder = DMoESimulator
    _simulator: DMoESimulator
