"""What a user may do to environments, in any order: three forms of them stay equal throughout."""

from __future__ import annotations

import copy
import pickle
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from mec_moe_env.core.autoreset import AutoresetMode
from tests.environments.test_vector import assert_equal
from tests.lifecycle.forms import (
    CASES,
    NUM_ENVS,
    ROWS,
    Actions,
    Case,
    Scalars,
    make_native,
    make_sync,
)

THREADS = st.sampled_from((1, 2, 3))
SEEDS = st.integers(0, 2**31)
EVERYBODY = np.ones(NUM_ENVS, np.bool_)
some_rows = st.lists(st.booleans(), min_size=NUM_ENVS, max_size=NUM_ENVS).filter(any)
some_seeds = st.lists(st.none() | SEEDS, min_size=NUM_ENVS, max_size=NUM_ENVS)


class Lifecycle(RuleBasedStateMachine):
    """Scalar environments beside the native vector environment beside SyncVectorEnv."""

    @initialize(
        case=st.sampled_from(CASES),
        mode=st.sampled_from(list(AutoresetMode)),
        threads=THREADS,
        seed=SEEDS,
    )
    def build(self, case: Case, mode: AutoresetMode, threads: int, seed: int) -> None:
        """Build the three forms and begin with the same seeds."""
        self.case, self.mode = case, mode
        self.native = make_native(case, mode, threads)
        self.sync = make_sync(case, mode)
        self.scalars = Scalars(case, mode)
        self.reset_all(seed)

    @rule(seed=SEEDS)
    def reset_all(self, seed: int) -> None:
        """Begin anew from one seed: what came before can be forgotten."""
        self.history: list[tuple[str, Any]] = []
        self._reset([seed + row for row in range(NUM_ENVS)], None)

    @rule(seeds=some_seeds)
    def reset_some_seeded(self, seeds: list[int | None]) -> None:
        """Begin anew, some from seeds, the others from where their generators are."""
        self._reset(seeds, None)

    @rule(seeds=some_seeds, rows=some_rows)
    def reset_partially(self, seeds: list[int | None], rows: list[bool]) -> None:
        """Begin anew in some sub-environments."""
        self._reset(seeds, np.array(rows))

    def _reset(self, seeds: list[int | None], mask: Any) -> None:
        # Gymnasium takes the mask out of the options that it is handed.
        options = [None if mask is None else {"reset_mask": mask.copy()} for _ in range(2)]
        mine = self.native.reset(seed=seeds, options=options[0])
        theirs = self.sync.reset(seed=seeds, options=options[1])
        chosen = EVERYBODY if mask is None else mask
        shown = self.scalars.reset(seeds, chosen)
        for one, other in zip(mine, theirs, strict=True):
            assert_equal(one, other, "reset")
        for row in np.flatnonzero(chosen).tolist():
            assert_equal(self._row(mine[0], row), shown[row], f"reset of scalar {row}")
        self.shown = mine[0]
        self.history.append(("reset", (seeds, mask)))

    @property
    def may_step(self) -> bool:
        """Whether nobody has to be reset first."""
        return self.mode is not AutoresetMode.DISABLED or not self.scalars.over.any()

    @precondition(lambda self: self.may_step)
    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Step, and restart as the autoreset mode says."""
        actions = self._actions(data)
        mine, theirs = self.native.step(actions), self.sync.step(actions)
        for part, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            assert_equal(one, other, f"step, part {part}")
        for row, (observation, reward, ended) in enumerate(self.scalars.step(actions)):
            assert_equal(self._row(mine[0], row), observation, f"step of scalar {row}")
            assert (mine[1][row], mine[2][row]) == (reward, ended)
        self.shown = mine[0]
        self.history.append(("step", actions))

    @precondition(lambda self: not self.may_step)
    @rule(data=st.data())
    def step_what_is_over(self, data: st.DataObject) -> None:
        """Without autoreset, what is over has to be reset."""
        with pytest.raises(RuntimeError, match="are over: reset them"):
            self.native.step(self._actions(data))
        over = int(self.scalars.over.argmax())
        with pytest.raises(RuntimeError, match="call reset"):
            self.scalars.envs[over].step(self._actions(data)[over])

    @rule(data=st.data(), row=st.integers(0, NUM_ENVS - 1), beyond=st.integers(0, 5))
    def step_outside_the_space(self, data: st.DataObject, row: int, beyond: int) -> None:
        """What is no action is refused and changes nothing."""
        actions = self._actions(data)
        choice = data.draw(st.integers(0, actions.shape[1] - 1))
        nvec = self.native.single_action_space.nvec
        actions[row, choice] = data.draw(st.sampled_from((-1 - beyond, nvec[choice] + beyond)))
        with pytest.raises(ValueError, match=r"action\["):
            self.native.step(actions)
        if not self.scalars.over[row]:
            with pytest.raises(ValueError, match=r"action\["):
                self.scalars.envs[row].step(actions[row])

    @rule(seeds=st.lists(SEEDS, max_size=2))
    def reset_badly(self, seeds: list[int]) -> None:
        """Seeds and masks that do not fit are refused and change nothing."""
        with pytest.raises(ValueError, match="seed must have num_envs"):
            self.native.reset(seed=seeds)
        with pytest.raises(ValueError, match="reset_mask"):
            self.native.reset(seed=1, options={"reset_mask": np.zeros(NUM_ENVS, np.bool_)})
        with pytest.raises(Exception, match="[Ss]eed"):
            self.native.reset(seed=[1, -1, 2])

    @rule()
    def pickle(self) -> None:
        """What comes out of a pickle goes on as what went in."""
        self.native = pickle.loads(pickle.dumps(self.native))
        self.scalars.envs = pickle.loads(pickle.dumps(self.scalars.envs))

    @precondition(lambda self: self.may_step)
    @rule(data=st.data(), swap=st.booleans())
    def deepcopy(self, data: st.DataObject, swap: bool) -> None:
        """A copy goes its own way and leaves the original alone."""
        copies = copy.deepcopy((self.native, self.scalars))
        originals = self.native, self.scalars
        gone, kept = (originals, copies) if swap else (copies, originals)
        actions = self._actions(data)
        gone[0].step(actions)
        gone[1].step(actions)
        gone[0].close()
        self.native, self.scalars = kept

    @rule(threads=THREADS)
    def replay_on_threads(self, threads: int) -> None:
        """On any number of threads, seeds and actions alone lead to where we are."""
        self.native.close()
        self.native = make_native(self.case, self.mode, threads)
        for what, given in self.history:
            if what == "step":
                shown = self.native.step(given)[0]
            else:
                seeds, mask = given
                options = None if mask is None else {"reset_mask": mask}
                shown = self.native.reset(seed=seeds, options=options)[0]
        assert_equal(shown, self.shown, f"replay on {threads} threads")

    @rule()
    def close(self) -> None:
        """Threads and windows end; whoever goes on gets new ones."""
        self.native.close()
        for env in self.scalars.envs:
            env.close()

    @rule(data=st.data(), late=st.booleans(), seed=SEEDS, resetting=st.booleans())
    def interrupt(self, data: st.DataObject, late: bool, seed: int, resetting: bool) -> None:
        """After Ctrl-C in a call, whatever it has done by then, only a reset helps."""
        actions, scalar = self._actions(data), self.scalars.envs[0]
        if resetting or not self.may_step:
            interrupt_call(self.native, late, lambda: self.native.reset(seed=seed))
            interrupt_call(scalar, late, scalar.reset)
        else:
            interrupt_call(self.native, late, lambda: self.native.step(actions))
            if not self.scalars.over[0]:
                interrupt_call(scalar, late, lambda: scalar.step(actions[0]))
            else:
                interrupt_call(scalar, late, scalar.reset)
        for env, told in ((self.native, actions), (scalar, actions[0])):
            with pytest.raises(RuntimeError, match="reset"):
                env.step(told)
        self.reset_all(seed)

    @rule()
    def render(self) -> None:
        """Pictures in words are the same of a scalar environment and of its row."""
        texts = self.native.render()
        assert texts == tuple(self.scalars.envs[row].render() for row in ROWS)
        everybody = self.sync.render()
        assert texts == tuple(everybody[row] for row in ROWS)

    @invariant()
    def masks_and_seeds_agree(self) -> None:
        """Masks and what is told of seeds are those of the other forms."""
        masks = np.stack([env.action_masks() for env in self.scalars.envs])
        np.testing.assert_array_equal(self.native.action_masks(), masks)
        assert self.native.np_random_seed == self.sync.np_random_seed
        assert self.native.np_random_seed == tuple(env.np_random_seed for env in self.scalars.envs)

    def teardown(self) -> None:
        """End the threads."""
        if hasattr(self, "native"):
            self.native.close()

    def _actions(self, data: st.DataObject) -> Actions:
        nvec = self.native.single_action_space.nvec
        rng = np.random.default_rng(data.draw(SEEDS, label="seed of the actions"))
        return rng.integers(0, nvec, (NUM_ENVS, len(nvec)))

    @staticmethod
    def _row(observation: Any, row: int) -> Any:
        return {key: entry[row] for key, entry in observation.items()}


def interrupt_call(env: Any, late: bool, call: Any) -> None:
    """Raise KeyboardInterrupt before or after the compiled work of a call."""
    pool = env._simulator._pool
    run = pool.run

    def interrupted(work: Any) -> None:
        if late:
            run(work)
        raise KeyboardInterrupt

    with patch.object(pool, "run", interrupted), pytest.raises(KeyboardInterrupt):
        call()
