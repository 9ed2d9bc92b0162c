"""Which tests are quick as plain Python, and properties tried on few examples."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import Phase, settings

EXAMPLES = 12
"""Of each property, the same in every run."""
SLOWEST = 0.6
"""Seconds of the processor that a test may take."""


class FewExamples:
    """Lets a property try few examples, and end at the first that fails."""

    def pytest_collection_modifyitems(self, items: Sequence[Any]) -> None:
        """Replace what each property says of its examples."""
        few = settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=settings.get_profile("default").suppress_health_check,
        )
        for item in items:
            if hasattr(getattr(item, "obj", None), "hypothesis"):
                # Where hypothesis keeps them: a second @settings is an error.
                item.obj._hypothesis_internal_use_settings = few


class TooSlowError(BaseException):
    """A test takes longer than it may; no test catches it."""


class Clock:
    """Takes the seconds of each test, and ends those that take too many."""

    def __init__(self) -> None:
        self.quick: list[tuple[float, str]] = []
        """Seconds and names of the tests that passed in time."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Set the alarm for a test."""

        def ring(*_: object) -> None:
            raise TooSlowError(item.nodeid)

        signal.signal(signal.SIGPROF, ring)
        self._began = time.process_time()
        result = yield
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        """Run a test, as long as it may."""
        signal.setitimer(signal.ITIMER_PROF, SLOWEST)
        try:
            result = yield
        except TooSlowError:
            pytest.fail("too slow", pytrace=False)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
        self.quick.append((time.process_time() - self._began, item.nodeid))
        return result
