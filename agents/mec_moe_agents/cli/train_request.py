"""What `mec-moe train` was asked to do, checked before any work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mec_moe_agents.cli.options import check_writable, parse_overrides
from mec_moe_agents.evaluation.scenarios import find_config, parse_agents
from mec_moe_agents.learning.defaults import hyperparameters_for
from mec_moe_agents.learning.memory import check_memory
from mec_moe_agents.learning.plan import Plan, check_algorithm, check_policy, default_policy
from mec_moe_agents.learning.run_folder import open_run
from mec_moe_agents.learning.start import digest, find_weights
from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.config import Whole, reject

TRAINED = "learned"
"""The baseline of this name is itself the outcome of a training run."""


@dataclass(frozen=True)
class TrainRequest:
    """A training run that can begin or go on."""

    plan: Plan
    steps: int
    out: Path
    baselines: Sequence[str]

    @classmethod
    def check(
        cls,
        *,
        algo: str,
        scenario: str,
        env: str,
        policy: str | None,
        steps: int | None,
        seed: int,
        envs: int | None,
        out: Path | None,
        settings: Sequence[str],
        tuning: Sequence[str],
        baselines: str,
        validation: int,
        threads: int,
        start: str | None,
        fresh: bool,
    ) -> Self:
        """Resolve every name and open the output folder.

        Raises:
            ValueError: something is unknown, out of range, or does not fit the rest; or the
                folder holds another run.
            OSError: the output folder cannot be written.
        """
        check_algorithm(algo)
        config = find_config(env, scenario, parse_overrides(settings))
        overrides = parse_overrides(tuning, "--tune")
        if envs is not None:
            overrides["num_envs"] = envs
        chosen = policy or default_policy(algo, config)
        check_policy(algo, chosen, config)
        plan = Plan(
            env=env,
            scenario=scenario,
            config=config,
            algo=algo,
            policy=chosen,
            hyperparameters=hyperparameters_for(algo, chosen, env, scenario, overrides),
            seed=seed,
            validation_episodes=validation,
            threads=threads,
            start=start,
            start_digest=None if start is None else digest(find_weights(start)),
        )
        if steps is None:
            steps = plan.hyperparameters.decay_steps
        if not Whole(1).admits(steps):
            raise reject("--steps", steps, Whole(1))
        check_memory(plan)
        names = parse_baselines(baselines, config)
        folder = out or default_folder(plan)
        check_writable(folder)
        open_run(folder, plan, fresh=fresh)
        return cls(plan, steps, folder, names)


def parse_baselines(names: str, config: OffloadingConfig | DMoEConfig) -> list[str]:
    """Split names at commas; `all` stands for every baseline that was not trained.

    Raises:
        ValueError: a name is unknown, or there is none.
    """
    named = [part.strip() for part in names.split(",")]
    return [name for name in parse_agents(names, config) if name != TRAINED or name in named]


def default_folder(plan: Plan) -> Path:
    """Return where a run is kept unless the user says so."""
    scenario = plan.scenario if plan.env == "offloading" else f"{plan.env}-{plan.scenario}"
    return Path("runs/train") / f"{scenario}-{plan.algo}-{plan.policy}-seed{plan.seed}"
