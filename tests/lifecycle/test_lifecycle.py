"""A short run of the state machine; `python -m tests.lifecycle --minutes 10` is a long one."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from mec_moe_env.core import pool
from tests.lifecycle.machine import Lifecycle


def test_three_forms_stay_equal_whatever_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "HAND_OVER_SECONDS", 0.0)
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
