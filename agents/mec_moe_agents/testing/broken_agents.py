"""An agent as it should be, and deliberately broken ones, each of which a check must catch."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import with_batch_axis
from mec_moe_env.offloading.config import OffloadingConfig

Integers = NDArray[np.int64]


class Tidy:
    """Gives the first task of slot t to server t, or the last; the broken ones change one thing."""

    def __init__(self, config: OffloadingConfig) -> None:
        self.config = config

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> Any:
        """Choose; the state counts the slots of each row."""
        batched, single = with_batch_axis(observation)
        slots = self.slots(len(batched["payload"]), state, episode_start)
        actions = self.act(batched, slots)
        return (actions[0] if single else actions), slots + 1

    def slots(self, batch: int, state: Any, episode_start: Any) -> Integers:
        """Return how many slots of its episode each row has behind it, (n,)."""
        if state is None:
            return np.zeros(batch, np.int64)
        return np.asarray(state if episode_start is None else np.where(episode_start, 0, state))

    def act(self, observation: Any, slots: Integers) -> Any:
        """Return the flat actions, (n, U·D·2)."""
        U, D, _ = self.config.action_shape
        actions = np.zeros((len(slots), U, D, 2), np.int64)
        actions[..., 0] = self.config.num_servers
        actions[:, 0, 0, 0] = np.minimum(slots, self.config.num_servers - 1)
        return actions.reshape(len(slots), -1)


class Bare(Tidy):
    """Returns the actions alone."""

    def predict(self, *arguments: Any, **keywords: Any) -> Any:
        """Choose, and return no state."""
        return super().predict(*arguments, **keywords)[0]


class Floating(Tidy):
    """Returns floats."""

    def act(self, observation: Any, slots: Integers) -> Any:
        """Return floats."""
        return super().act(observation, slots).astype(np.float64)


class Nested(Tidy):
    """Returns actions of shape (n, U, D, 2)."""

    def act(self, observation: Any, slots: Integers) -> Any:
        """Return actions that are not flat."""
        return super().act(observation, slots).reshape(len(slots), *self.config.action_shape)


class Outside(Tidy):
    """Names a server that there is not."""

    def act(self, observation: Any, slots: Integers) -> Any:
        """Return server M + 1."""
        actions = super().act(observation, slots)
        actions[:, 0] = self.config.num_servers + 1
        return actions


class Lonely(Tidy):
    """Acts otherwise on a single observation than on a batch of one."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> Any:
        """Choose, and alone the first server and subcarrier."""
        actions, slots = super().predict(observation, state, episode_start, deterministic)
        return (np.zeros_like(actions) if actions.ndim == 1 else actions), slots


class BatchOnly(Tidy):
    """Takes every observation for a batch."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> Any:
        """Choose for a batch of as many rows as the first axis has."""
        batch = {name: np.reshape(entry, (-1, 1)) for name, entry in observation.items()}
        if observation["payload"].ndim > 1:
            batch = observation
        return super().predict(batch, state, episode_start, deterministic)


class Mixing(Tidy):
    """Lets the rows of a batch decide together."""

    def act(self, observation: Any, slots: Integers) -> Any:
        """Name the server by the mean payload of all rows."""
        actions = super().act(observation, slots)
        actions[:, 0] = int(1e6 * observation["payload"].mean()) % self.config.num_servers
        return actions


class Worldly(Tidy):
    """Draws from NumPy's global generator, which it leaves where it was."""

    def act(self, observation: Any, slots: Integers) -> Any:
        """Name a server that no seed decides."""
        state = np.random.get_state()  # noqa: NPY002
        shift = np.random.randint(2**31)  # noqa: NPY002
        np.random.set_state(state)  # noqa: NPY002
        return super().act(observation, (slots + shift) % self.config.num_servers)


class Seeding(Tidy):
    """Seeds NumPy's global generator for everybody."""

    def act(self, observation: Any, slots: Integers) -> Any:
        """Seed, then choose."""
        np.random.seed(0)  # noqa: NPY002
        return super().act(observation, slots)


class Scribbling(Tidy):
    """Writes into the observation."""

    def act(self, observation: Any, slots: Integers) -> Any:
        """Choose, and clear the payloads."""
        observation["payload"][:] = 0.0
        return super().act(observation, slots)


class Remembering(Tidy):
    """Keeps its memory in itself, not in the state."""

    _met = 0

    def slots(self, batch: int, state: Any, episode_start: Any) -> Integers:
        """Count for ever."""
        self._met += 1
        return np.full(batch, self._met)


class Stubborn(Tidy):
    """Does not look at `episode_start`."""

    def slots(self, batch: int, state: Any, episode_start: Any) -> Integers:
        """Count on from the state, whatever begins."""
        return super().slots(batch, state, None)


class Locked(Tidy):
    """Holds a lock, which no pickle takes."""

    def __init__(self, config: OffloadingConfig) -> None:
        super().__init__(config)
        self._lock = threading.Lock()


class Homesick(Tidy):
    """Is pickled without where it begins."""

    first = 0

    def __init__(self, config: OffloadingConfig) -> None:
        super().__init__(config)
        self.first = 1

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config}

    def act(self, observation: Any, slots: Integers) -> Any:
        """Choose as a later slot would."""
        return super().act(observation, slots + self.first)


class BrokenAgent(NamedTuple):
    """A specimen and the checks that must fail, no others."""

    agent: type[Tidy]
    fails: tuple[str, ...]


BROKEN_AGENTS = (
    BrokenAgent(Bare, ("it_answers",)),
    BrokenAgent(Floating, ("actions_are_integers_of_the_right_shape",)),
    BrokenAgent(Nested, ("actions_are_integers_of_the_right_shape",)),
    BrokenAgent(Outside, ("actions_are_inside_the_space",)),
    BrokenAgent(BatchOnly, ("a_single_observation_is_a_row",)),
    BrokenAgent(Lonely, ("a_single_observation_is_a_row",)),
    BrokenAgent(Mixing, ("rows_do_not_meet",)),
    BrokenAgent(Worldly, ("its_seed_decides",)),
    BrokenAgent(Seeding, ("global_randomness_is_left_alone",)),
    BrokenAgent(Scribbling, ("observations_are_left_alone",)),
    BrokenAgent(Remembering, ("no_state_starts_afresh", "episode_start_starts_a_row_afresh")),
    BrokenAgent(Stubborn, ("episode_start_starts_a_row_afresh",)),
    BrokenAgent(Locked, ("pickles",)),
    BrokenAgent(Homesick, ("pickles",)),
)
"""A specimen for every check of an agent, at least; for scenarios of offloading with U·D > 1."""
