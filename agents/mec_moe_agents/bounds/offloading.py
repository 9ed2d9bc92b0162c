"""A bound on the return of every policy on an episode of offloading, clairvoyant ones included.

1. The undiscounted return is −(w_err·Σ errors + w_energy·ΣJ + w_delay·Σ delays), each task judged
   by the *final* model of its server; a task in training at T is judged by the model of then, a
   rejected or lost one counts its own c for ever (Li & Duan 2024; `offloading/learning.py`).
2. Against rejecting everything, −w_err·Σc, a task τ that e servers take gains
   w_err·(c_τ − mean of their errors) − w_energy·ΣJ − w_delay·(largest delay), at most
   Σ over them of (1/e)·[w_err·(c_τ − error) − w_delay·delay] − w_energy·J, a sum over servers. A
   lost share has error c_τ, so that it gains nothing: dropping it from the plan loses nothing.
3. Joules and slots are least on a link's best subcarrier: dispatching there, and ignoring what
   else it carries, loses nothing; a shorter training leaves the server more time. So server m
   serves a set S_m of disjoint intervals [t, t + d), all of them served to their end.
4. For given costs, error_τ ≥ cost_τ for the final model, what m gains is at most the value of an
   interval scheduling problem (`schedule`). A share 1/e < 1 of a task that need not be served is
   never worth more than all of it or none.
5. The costs come from labels (`cells`, `anchors`): whatever the final model is, one of the labels
   describes it, so what m gains is at most the largest value over all labels (`programs`). A
   server that completes no training keeps the zero model, whose errors are c: it gains nothing.
6. "Each task at most once" (shares of a task sum to at most 1) is relaxed with multipliers λ ≥ 0:
   for any λ the gain of all servers is at most Σλ + Σ_m (largest value with λ_τ deducted from
   every task τ), which is made small (`multipliers`, `dual`).
"""

from __future__ import annotations

from mec_moe_agents.bounds.dual import Dual
from mec_moe_agents.bounds.instance import Instance, make_instance
from mec_moe_agents.bounds.relaxation import relax
from mec_moe_env import OffloadingConfig

MARGIN = 1e-6
"""Added for rounding, as a share of w_err·Σc + |bound|: sums of some thousand terms in double
precision, and trainings with Gram matrices of condition 1e8 or less, are exact to 1e-8."""
ROUNDS = 20


def certify_offloading(config: OffloadingConfig, seed: int, rounds: int = ROUNDS) -> float:
    """Return a number that no policy's return exceeds on the episode of a seed.

    Raises:
        ValueError: nothing is proved for the tasks of `config`.
    """
    return certify_instance(make_instance(config, seed), rounds)


def certify_instance(instance: Instance, rounds: int = ROUNDS) -> float:
    """Return a number that no policy's return exceeds on an episode."""
    bound = instance.rejection + Dual(relax(instance)).descend(rounds)
    return bound + MARGIN * (abs(instance.rejection) + abs(bound))
