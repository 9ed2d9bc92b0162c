"""Learning the importance of layers that the paper sets by hand (Qin et al. 2025, P1)."""

from __future__ import annotations

from collections.abc import Callable

from mec_moe_agents.evaluation.seeds import FIRST_TRAINING_SEED
from mec_moe_agents.importance.family import LearnedSchedule, ScheduleFamily
from mec_moe_agents.importance.practice import PracticeWorld
from mec_moe_agents.importance.search import front, search_front
from mec_moe_env.scenarios import DMOE_PRESETS

CONFIG = DMOE_PRESETS["digits-moe"]
ROUGH_EPISODES, FINE_EPISODES, RECORD_EPISODES = 60, 250, 600
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
    tell("drawing training episodes")
    start = FIRST_TRAINING_SEED
    rough = PracticeWorld(CONFIG, range(start, start + ROUGH_EPISODES))
    start += ROUGH_EPISODES
    fine = PracticeWorld(CONFIG, range(start, start + FINE_EPISODES))
    tell("searching for schedules")
    schedules = search_front(CONFIG.num_layers, rough.run, fine.run)
    tell(f"recording what {len(schedules)} schedules bring on other training episodes")
    record = recording_world()
    outcomes = {schedule: record.run(schedule) for schedule in schedules}
    return ScheduleFamily(tuple(LearnedSchedule(each, *outcomes[each]) for each in front(outcomes)))


def recording_world() -> PracticeWorld:
    """Return the training episodes on which operating points are chosen.

    Raises:
        ImportError: scikit-learn, the extra `digits`, is not installed.
    """
    return PracticeWorld(CONFIG, range(FIRST_RECORD_SEED, FIRST_RECORD_SEED + RECORD_EPISODES))
