"""Steps per second where servers train networks, beside linear experts.

python benchmarks/networks.py [--scenarios digits,mnist-5k,teacher] [--num-envs 1,64] [--seconds 1]
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from mec_moe_env import OffloadingVectorEnv

EXPERTS = ("linear", "mlp")


def steps_per_second(scenario: str, experts: str, num_envs: int, seconds: float) -> float:
    """Return the steps of all sub-environments in a second of processor time, one thread.

    Each task goes to an idle server at random: every training is paid for, nobody specialises, so
    that most types have to be judged after each. Processor time, as a shared machine disturbs the
    clock; the median of five turns.
    """
    env = OffloadingVectorEnv(num_envs, scenario, experts=experts)
    M, S = env.config.num_servers, env.config.num_subcarriers
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    rates = []
    for _ in range(6):
        steps, begin = 0, time.process_time()
        while time.process_time() - begin < seconds / 5:
            masks = info["action_mask"].reshape(num_envs, M + 1 + S)
            server = (masks[:, :M] * rng.random((num_envs, M))).argmax(axis=1)
            subcarrier = masks[:, M + 1 :].argmax(axis=1)
            *_, info = env.step(np.stack([server, subcarrier], axis=1))
            steps += num_envs
        rates.append(steps / (time.process_time() - begin))
    # The first turn compiles, and begins with nothing to judge.
    return statistics.median(rates[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", default="digits,mnist-5k,teacher")
    parser.add_argument("--num-envs", default="1,64")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    options = parser.parse_args()
    for scenario in options.scenarios.split(","):
        for num_envs in map(int, options.num_envs.split(",")):
            rates = [
                steps_per_second(scenario, experts, num_envs, options.seconds)
                for experts in EXPERTS
            ]
            told = "  ".join(
                f"{name} {rate:,.0f}" for name, rate in zip(EXPERTS, rates, strict=True)
            )
            print(f"{scenario}, {num_envs} sub-environments, steps/s: {told}", flush=True)


if __name__ == "__main__":
    main()
