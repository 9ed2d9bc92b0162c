"""One Ray of this machine for all tests of RLlib."""

from collections.abc import Iterator

import pytest
import ray
import torch


@pytest.fixture(scope="session", autouse=True)
def local_ray() -> Iterator[None]:
    torch.set_num_threads(1)
    # On this machine alone, whatever cluster its environment names.
    ray.init("local", num_cpus=2, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()
