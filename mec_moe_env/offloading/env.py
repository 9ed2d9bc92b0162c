"""The offloading environments, scalar and vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Actions, Entries, Floats
from mec_moe_env.core.scalar import SimulatorEnv
from mec_moe_env.core.vector import SimulatorVectorEnv
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.simulator import OffloadingSimulator
from mec_moe_env.rendering.modes import OFFLOADING_ART
from mec_moe_env.rendering.scene import OffloadingScene
from mec_moe_env.scenarios import OFFLOADING_SCENARIOS


class OffloadingEnv(SimulatorEnv):
    """Route learning tasks to edge servers and subcarriers.

    ## Description
    Every slot, U tasks arrive at random base stations of a wireless edge network. Each of the M
    servers keeps a model, linear or with two hidden layers (`experts`), an expert that learns
    continually: a task given to a server trains it and makes it forget what it learned before,
    unless tasks of one type always meet the same servers (Li & Duan 2024, arXiv 2412.15690). The
    scheduler picks for every task up to D idle servers and, for each, one free OFDMA subcarrier of
    S to send the data over. Transmission and training take time, during which the server accepts no
    other task, and energy; so does the way of a result of `result_mbit` back to the base station
    where the task arrived, over the same link (our extension; 0 by default).

    Synthetic tasks are those of Definition 1. The preset `continual` draws them as the first
    author's program of the companion paper does (Li et al. 2025, arXiv 2406.16437): ground truths
    of fixed length in clusters, signals along them, samples of low rank, no delay (`max_delay=1`).

    ## Action space
    `MultiDiscrete([M + 1, S] * (U * D))`: for task u, pick j, a server (M = none) and a
    subcarrier. All picks none rejects the task. Every action is legal: a pick of a busy or failed
    server, a busy subcarrier, or of one that an earlier pick of the slot has taken, is dropped
    and counted in `info["dropped_picks"]`. A task served where it arrived (in-situ) needs no
    subcarrier; the one named is ignored. `action_masks()` gives the flat mask that
    sb3-contrib's MaskablePPO wants; it is exact for U = D = 1, otherwise exact for each pick
    taken alone.

    ## Observation space
    A `Dict` of flat float32 `Box`es; `mec_moe_env.unflatten(observation,
    config.observation_shapes)` views them in the shapes given here.

    | key | shape | meaning |
    |---|---|---|
    | `task` | (U, d) | Σ_i X_i, the input of the paper's gate |
    | `payload` | (U,) | data to send, Mbit |
    | `origin` | (U, M) | one-hot of the server where the task arrived |
    | `busy` | (M,) | remaining busy slots / d_u, 0 idle; 1 also while failed |
    | `subcarrier_busy` | (S,) | remaining slots / d_u |
    | `spectral_efficiency` | (U, M, S) | log2(1 + SNR) from the origin, bit/s/Hz |
    | `compute` | (M, 2) | joules and seconds per sample |
    | `completed` | (M,) | 1 where a training ended in the slot before |
    | `drift` | (M,) | ‖Δw‖₂, of all parameters, of the last completed training |
    | `progress` | (1,) | t / T |

    ## Reward
    −(w_err·ΔE + w_energy·J + w_delay·delay): E is the summed error of all tasks so far, each
    judged by the model that its server has now; J the joules spent and delay the slots (the
    longest over a task's servers) of the tasks accepted in the slot. With t counting tasks,
    E = t·G_t, so the undiscounted return is exactly −(w_err·E_T + w_energy·ΣJ + w_delay·Σdelay):
    the paper's overall generalization error plus cost. A task served by several experts counts
    the mean of their errors; one that is rejected, or lost in a server's failure, counts the
    error of the zero model for ever (our extension).

    ## Info
    `reward_error`, `reward_energy`, `reward_delay` (their sum weighted by the config's weights is
    the reward), `generalization_error` (G_t), `forgetting` (F_t), `energy_j`,
    `transmission_energy_j`, `delay_slots`, `accepted`, `rejected`, `dropped_picks`, `lost`,
    `action_mask`, and with real data `accuracy` (held-out, mean over the tasks so far).

    ## Starting state
    New server positions, shadowing, speeds and ground truths; all servers idle with zero models,
    or with the same new random network, whose output is zero.

    ## Episode end
    `terminated` after T slots: the horizon is part of the problem, and `progress` shows it.

    ## Arguments
    `scenario`: the name of a preset, an `OffloadingConfig`, or a mapping of its fields, which may
    name a preset as `scenario`; any config field as a keyword overrides it:
    `gym.make("mec_moe_env:mec_moe/Offloading-v0", scenario="digits", horizon=100)`.

    A recorded world is given by fields too: `positions="eua.csv"`, `channel_trace="gains.npz"`,
    `arrivals="arrivals.csv"` (`mec_moe_env.worlds` says what the files hold). With arrivals any
    number of tasks comes in a slot, up to U. Where none came, task, payload and origin are zeros,
    the mask allows no server, picks are dropped, and nothing is rejected.

    ## Example
    ```python
    from mec_moe_env import OffloadingEnv

    env = OffloadingEnv("default", horizon=50)
    observation, info = env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    assert info["accepted"] + info["rejected"] == env.config.num_tasks
    ```

    ## Rendering
    Every mode shows the slot that is to be decided and what the last action did.

    | `render_mode` | `render()` returns |
    |---|---|
    | `ansi` | a text: picks and their costs, servers, subcarriers in use, waiting tasks |
    | `rgb_array` | a picture, (640, 960, 3): a map of the servers with what they have learned, \
      links with their subcarriers, the error so far, the terms of the return |
    | `human` | None: a window shows the picture after every step |

    `scene()` returns what they show as numbers. Pictures need the extra `render`.

    ## Version history
    * v0: initial version.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  # as Gymnasium declares it
        "render_modes": ["human", "rgb_array", "ansi"],
        "render_fps": 10,
    }
    config: OffloadingConfig
    _presets = OFFLOADING_SCENARIOS
    _builder = OffloadingSimulator
    _art = OFFLOADING_ART
    _simulator: OffloadingSimulator

    def scene(self) -> OffloadingScene:
        """Return everything that a picture of now needs.

        What the last action did is known from the first call on: call it after `reset` for all of
        an episode.

        Raises:
            RuntimeError: `reset` was not called before.
        """
        scene: OffloadingScene = self._scene()
        return scene

    def model_errors(self) -> Floats:
        """Return the true error of every server on the waiting tasks, (U, M): a reference."""
        return np.asarray(self._simulator.model_errors()[0])

    def error_increments(self) -> Floats:
        """Return the growth of E once server m has learned task u, (U, M): a reference."""
        return np.asarray(self._simulator.error_increments()[0])

    def expert_models(self) -> Floats:
        """Return every server's model of now, (M, d): a reference."""
        return np.asarray(self._simulator.expert_models()[0])

    def rejection_errors(self) -> Floats:
        """Return what rejecting each waiting task adds to E, (U,): a reference."""
        return np.asarray(self._simulator.rejection_errors()[0])


class OffloadingVectorEnv(SimulatorVectorEnv, VectorEnv[Entries, Actions, NDArray[Any]]):
    """`num_envs` copies of `OffloadingEnv`, equal in every value to a `SyncVectorEnv` of them."""

    metadata: dict[str, Any] = {  # noqa: RUF012  # as Gymnasium declares it
        "render_modes": ["rgb_array", "ansi"],
        "render_fps": 10,
    }
    config: OffloadingConfig
    _presets = OFFLOADING_SCENARIOS
    _builder = OffloadingSimulator
    _art = OFFLOADING_ART
    _simulator: OffloadingSimulator

    def scene(self, row: int) -> OffloadingScene:
        """Return everything that a picture of now needs of a sub-environment.

        What the last action did is known from the first call on: call it after `reset` for all of
        an episode.

        Raises:
            RuntimeError: `reset` was not called before.
            ValueError: there is no such sub-environment.
        """
        scene: OffloadingScene = self._scene(row)
        return scene

    def model_errors(self) -> Floats:
        """Return the true error of every server on the waiting tasks, (n, U, M): a reference."""
        return self._simulator.model_errors()

    def error_increments(self) -> Floats:
        """Return the growth of E once server m has learned task u, (n, U, M): a reference."""
        return self._simulator.error_increments()

    def expert_models(self) -> Floats:
        """Return every server's model of now, (n, M, d): a reference."""
        return self._simulator.expert_models()

    def rejection_errors(self) -> Floats:
        """Return what rejecting each waiting task adds to E, (n, U): a reference."""
        return self._simulator.rejection_errors()
