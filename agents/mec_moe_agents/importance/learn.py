"""Learning the importance of layers that the paper sets by hand (Qin et al. 2025, P1).

By practice in the environment, on training seeds that evaluation never meets. Practice and
evaluation share the 540 held-out images that `digits-moe` shows; which of them come together, the
channels and the nodes are new.
"""

from __future__ import annotations

from collections.abc import Callable

from mec_moe_agents.evaluation.rollout import FIRST_TRAINING_SEED
from mec_moe_agents.importance.family import LearnedSchedule, ScheduleFamily
from mec_moe_agents.importance.match import choose_match
from mec_moe_agents.importance.practice import PracticeWorld
from mec_moe_agents.importance.record import practise
from mec_moe_agents.importance.search import Schedule, front, search_front
from mec_moe_env import DMOE_PRESETS

CONFIG = DMOE_PRESETS["digits-moe"]
SHARED = (
    "Practice and evaluation share the 540 held-out images of digits-moe; their seeds (which "
    "images come together, channels, geometry) are disjoint."
)
HAND_SET = tuple(round(step / 20, 2) for step in range(1, 21))
"""γ0 = 0.05, 0.10, …, 1."""
ROUGH_EPISODES, FINE_EPISODES, RECORD_EPISODES = 60, 500, 2000
FIRST_RECORD_SEED = FIRST_TRAINING_SEED + 1_000_000
"""Energy, loss and accuracy are recorded on episodes other than those of the search, because the
schedules that won there were lucky there."""


def learn_family(tell: Callable[[str], None] = lambda text: None) -> ScheduleFamily:
    """Search for schedules from thrifty to accurate; minutes on one core, always the same.

    Args:
        tell: called with what is being done.

    Raises:
        ImportError: scikit-learn, the extra `digits`, is not installed.
    """
    tell("searching for schedules")
    start = FIRST_TRAINING_SEED
    rough = PracticeWorld(CONFIG, range(start, start + ROUGH_EPISODES))
    start += ROUGH_EPISODES
    fine = PracticeWorld(CONFIG, range(start, start + FINE_EPISODES))
    schedules = search_front(CONFIG.num_layers, rough.run, fine.run)
    seeds = recording_seeds()
    tell(f"trying {len(schedules)} schedules on {len(seeds)} training episodes")
    records = {each: practise(CONFIG, each, seeds) for each in schedules}
    outcomes = {each: record.outcome for each, record in records.items()}
    best = front(outcomes)
    tell(f"trying JESA with {len(HAND_SET)} values of γ0 on the same episodes")
    candidates = {each: records[each] for each in best}
    return ScheduleFamily(
        tuple(LearnedSchedule(each, *outcomes[each]) for each in best),
        tuple(
            choose_match(hand_set, practise(CONFIG, powers(hand_set), seeds), candidates)
            for hand_set in HAND_SET
        ),
    )


def recording_seeds() -> range:
    """Return the training seeds on which schedules are chosen."""
    return range(FIRST_RECORD_SEED, FIRST_RECORD_SEED + RECORD_EPISODES)


def powers(hand_set: float) -> Schedule:
    """Return γ0^l of every layer."""
    return CONFIG.override(importance=hand_set).layer_importance
