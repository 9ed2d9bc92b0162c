"""The DMoE environments, scalar and vector."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Actions, Entries
from mec_moe_env.core.scalar import SimulatorEnv
from mec_moe_env.core.vector import SimulatorVectorEnv
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.dmoe.simulator import DMoESimulator
from mec_moe_env.rendering.modes import DMOE_ART
from mec_moe_env.rendering.scene import DMoEScene
from mec_moe_env.scenarios import DMOE_SCENARIOS


class DMoEEnv(SimulatorEnv):
    """Choose experts and subcarriers for every layer of a distributed mixture of experts.

    ## Description
    K edge nodes hold one expert each; the first I of them also hold queries of Q tokens. In each
    of L layers the gate scores every expert's relevance to every token, and the scheduler picks up
    to D experts a token and one OFDMA subcarrier for each link over which hidden states have to
    travel (Qin et al. 2025, arXiv 2503.13421, P1). It pays for transmission and computation, and
    has to keep the relevance of each token above z·γ^(l), the threshold of the layer, wherever D
    available experts reach it (C1). A token without an expert passes the layer unchanged, on the
    residual path.

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
    w_err·`reward_error` + w_energy·`reward_energy`, weights 1 by default (our extension). J are
    the joules of transmission and computation in the layer.

    With gates that no action changes, violating a threshold costs more than it can save. For each
    token q of source i, over its Top-D, the D available experts of the highest scores:

    | symbol | meaning |
    |---|---|
    | t_q | min(z·γ^(l), sum of the Top-D's scores): the relevance wanted, which is within reach |
    | m_q | max(t_q − relevance, 0)/t_q, the share of it that is missed; 0 up to 1e-6 |
    | c_ijs | joules of a state over subcarrier s, P0·s0/r_ijs, and back if that counts; c_iis = 0 |
    | L | min(I·(K − 1), I·Q·D), the most links in use at once |
    | c̄_ij | the L-th smallest c_ijs over s, the largest where S < L |
    | ρ_q | Σ over the Top-D of (a_j + c̄_ij), a_j of computation: what serving q takes at most |
    | E_ref | Σ_q ρ_q; 1 J where that is 0 |

    | term | value |
    |---|---|
    | `reward_error` | −Σ over violated tokens (m_q > 0) of ρ_q·(1 + m_q), per E_ref |
    | `reward_energy` | −J/E_ref |

    *No optimum violates, where w_err ≥ w_energy > 0 and S ≥ L.* Let an action violate. In whatever
    it does, a used link can move to one of its L best subcarriers, as others occupy at most L − 1;
    so assume that each state costs at most c̄_ij. Now give every violated token its Top-D instead,
    over free subcarriers among the L best of links not in use. J grows by at most the sum of these
    tokens' ρ_q, while w_err·ρ_q·(1 + m_q) are no longer charged for each: the reward rises. Among
    actions without a violation the best spends the least J, which is P1. Layers do not touch each
    other and E_ref does not depend on actions, so this holds for the return. Serving all by their
    Top-D, links among their L best, is worth at least −w_energy a layer, serving nobody −2·w_err.
    Where ρ_q = 0, a violation costs and saves nothing.

    *Where S < L*, as in `contended`, links can outnumber subcarriers, some violations are
    unavoidable, and the best action chooses whose. No optimum leaves one that could be mended
    beside what the others use: c̄_ij is the largest c_ijs, so that giving a violated token its
    Top-D over links that the others have in use and over subcarriers that they leave free costs at
    most ρ_q. It removes a charge of w_err·ρ_q·(1 + m_q), which is more.

    Not covered: finite deadlines (a link of many states may miss one that each alone would meet),
    and schedulers that see an old channel (`csi_delay`), for which only the optimum in hindsight
    has no violation.

    With a real model (`digits-moe`) gates follow from actions, and what counts is the answer:

    | term | value |
    |---|---|
    | `reward_error` | last layer: −mean cross-entropy/ln(number of classes), −1 for a guess |
    | `reward_energy` | −J/(number of layers·E_ref); E_ref = 1 J where nobody is available |
    | E_ref | Σ_i Q·D·mean over available j of (a_j + min_s c_ijs): about what Top-D spends |

    ## Info
    `reward_error`, `reward_energy`, `energy_j`, `transmission_energy_j`; `cost`, the number of
    violated tokens, for constrained RL; means over the tokens of `relevance`, `shortfall` (t_q −
    relevance where violated), `violated` and `experts_per_token`; `dropped_picks`, `lost_states`
    (the deadline was missed), `unserved` (tokens without an expert), `action_mask`, and with a
    real model `accuracy`: of the answers if the hidden states were classified now. What no D
    available experts can reach is no violation, with given gates and with a real model alike.

    ## Starting state
    New node positions, shadowing, energies, and a new batch of queries.

    ## Episode end
    `terminated` after the last layer.

    ## Arguments
    `scenario`: the name of a preset, a `DMoEConfig`, or a mapping of its fields, which may name a
    preset as `scenario`; any config field as a keyword overrides it:
    `gym.make("mec_moe_env:mec_moe/DMoE-v0", scenario="paper", importance=0.7)`. A recorded world is
    given by fields too: `positions="sites.csv"`, `channel_trace="gains.npz"` (`mec_moe_env.worlds`
    says what the files hold); the way back over a recorded link is as good as the way there.

    ## Example
    ```python
    from mec_moe_env import DMoEEnv

    env = DMoEEnv("default", num_layers=2)
    observation, info = env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    assert not terminated
    assert info["energy_j"] >= info["transmission_energy_j"]
    ```

    ## Rendering
    Every mode shows the layer that the last action was about, before the first the one to come.

    | `render_mode` | `render()` returns |
    |---|---|
    | `ansi` | a text: tokens with their scores and experts, links, subcarriers, the next gates |
    | `rgb_array` | a picture, (640, 960, 3): gate scores and chosen experts of every token, \
      nodes and links, the subcarriers, energy by layer, the terms of the return |
    | `human` | None: a window shows the picture after every step |

    `scene()` returns what they show as numbers. Pictures need the extra `render`.

    ## Version history
    * v0: initial version.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  # as Gymnasium declares it
        "render_modes": ["human", "rgb_array", "ansi"],
        "render_fps": 2,
    }
    config: DMoEConfig
    _presets = DMOE_SCENARIOS
    _builder = DMoESimulator
    _art = DMOE_ART
    _simulator: DMoESimulator

    def scene(self) -> DMoEScene:
        """Return everything that a picture of now needs.

        What the last action did is known from the first call on: call it after `reset` for all of
        an episode.

        Raises:
            RuntimeError: `reset` was not called before.
        """
        scene: DMoEScene = self._scene()
        return scene


class DMoEVectorEnv(SimulatorVectorEnv, VectorEnv[Entries, Actions, NDArray[Any]]):
    """`num_envs` copies of `DMoEEnv`, equal in every value to a `SyncVectorEnv` of them."""

    metadata: dict[str, Any] = {  # noqa: RUF012  # as Gymnasium declares it
        "render_modes": ["rgb_array", "ansi"],
        "render_fps": 2,
    }
    config: DMoEConfig
    _presets = DMOE_SCENARIOS
    _builder = DMoESimulator
    _art = DMOE_ART
    _simulator: DMoESimulator

    def scene(self, row: int) -> DMoEScene:
        """Return everything that a picture of now needs of a sub-environment.

        What the last action did is known from the first call on: call it after `reset` for all of
        an episode.

        Raises:
            RuntimeError: `reset` was not called before.
            ValueError: there is no such sub-environment.
        """
        scene: DMoEScene = self._scene(row)
        return scene
