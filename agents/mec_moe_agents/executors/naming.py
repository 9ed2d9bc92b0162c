"""What `--executor` may be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mec_moe_agents.executors import Executor

PROCESSES, RAY = "processes:", "ray"
ALLOWED = "processes:N, ray (the cluster of RAY_ADDRESS, or this machine) or ray://HOST:PORT"


def check_name(name: str | None) -> None:
    """See that a name is one of an executor; None stands for none.

    Raises:
        ValueError: it is not.
    """
    if name is None or name == RAY or name.startswith("ray://"):
        return
    count = name.removeprefix(PROCESSES)
    if count == name or not (count.isascii() and count.isdigit() and int(count) > 0):
        raise ValueError(f"executor {name!r} is not allowed: {ALLOWED}")


def executor_of(jobs: int, name: str | None) -> str | None:
    """Return the name that `--jobs` and `--executor` ask for together, checked.

    Raises:
        ValueError: both are given, or the name is none.
    """
    if jobs > 1 and name is not None:
        raise ValueError(f"--jobs {jobs} is --executor {PROCESSES}{jobs}: give one of them")
    check_name(name)
    return name if jobs == 1 else f"{PROCESSES}{jobs}"


@contextlib.contextmanager
def opened(name: str | None) -> Iterator[Executor | None]:
    """Yield the executor of a name, and end its workers afterwards; None where there is no name.

    Raises:
        ImportError: Ray is asked for and not installed.
        OSError: there is no cluster at the address.
        ValueError: there is no executor of that name.
    """
    check_name(name)
    if name is None:
        yield None
        return
    with contextlib.closing(_build(name)) as executor:
        yield executor


def _build(name: str) -> Executor:
    if name.startswith(PROCESSES):
        from mec_moe_agents.executors.processes import Processes

        return Processes(int(name.removeprefix(PROCESSES)))
    from mec_moe_agents.executors.cluster import Cluster

    return Cluster(None if name == RAY else name)
