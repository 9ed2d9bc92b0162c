"""A reward weighting of one's own: which scheduler is best depends on the price of energy.

    pip install mec-moe-env
    python examples/custom_reward.py

The reward is minus the weighted sum of error, joules and slots of delay, and each weight is a field
of the scenario. As energy gets dearer the best scheduler changes: first `guard`, which keeps the
experts apart whatever it costs, then `des`, which saves energy, at last whoever does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from mec_moe_agents import estimate_mean, evaluate, read_arguments

from mec_moe_env import OFFLOADING_PRESETS


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    scenario: str = "default"
    agents: str = "nearest,profile,guard,des,reject-all"
    """Names separated by commas."""
    energy_weights: str = "0,5,20,50,100,200"
    """Of a joule, separated by commas."""
    seeds: int = 200
    first_seed: int = 100_000


def main(settings: Arguments) -> None:
    """Print mean returns, and by how much the best beats the second best on the same seeds."""
    seeds = range(settings.first_seed, settings.first_seed + settings.seeds)
    names = settings.agents.split(",")
    print("energy_weight" + "".join(f"{name:>12}" for name in names) + "  best, by")
    for weight in settings.energy_weights.split(","):
        config = OFFLOADING_PRESETS[settings.scenario].override(energy_weight=float(weight))
        returns = {name: evaluate(name, config, seeds).metrics["return"] for name in names}
        best, second = sorted(names, key=lambda name: -returns[name].mean())[:2]
        lead = estimate_mean(returns[best] - returns[second])
        row = "".join(f"{returns[name].mean():12.1f}" for name in names)
        print(f"{weight:>13}{row}  {best}, {lead.mean:.1f} [{lead.low:.1f}, {lead.high:.1f}]")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
