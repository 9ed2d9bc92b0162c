"""Measuring time: repeated calls, and who spent it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np


def per_call(work: Callable[[], object], seconds: float, least: int = 3) -> float:
    """Return the median time of a call in seconds, over `seconds` and at least `least` calls."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < least:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


class Stopwatch:
    """Seconds that methods spent themselves, without the watched methods that they called."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner: list[float] = [0.0]

    @contextmanager
    def watching(self, label: str, owner: type, method: str) -> Iterator[None]:
        """Add the time of every call of `owner.method` to `label` within the block."""
        original: Any = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            start = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                spent = time.perf_counter() - start
                self.seconds[label] += spent - self._inner.pop()
                self._inner[-1] += spent

        with patch.object(owner, method, timed):
            yield
