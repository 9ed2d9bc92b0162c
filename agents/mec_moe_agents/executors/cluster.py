"""A Ray cluster: work of a node that is lost is done again on another."""

import logging
import pickle
from collections.abc import Collection

import ray

from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_agents.executors import Work

RETRIES = 3  # So often work is begun anew whose worker or node is lost.


class Cluster:
    """An `Executor` of all nodes of a cluster, each core for one call at a time."""

    capacity = 1 << 30  # Ray keeps what waits.

    def __init__(self, address: str | None) -> None:
        # A client knows other options, and the server that Ray forks for it may die as it begins.
        quiet = {} if address else {"log_to_driver": False, "logging_level": logging.ERROR}
        for last in (False, False, True):
            try:
                ray.init(address, **quiet)
                break
            except ConnectionError as error:
                ray.shutdown()  # or this process stays a client
                if last or not isinstance(error, ConnectionAbortedError):
                    raise ConnectionError(f"no Ray cluster at {address}: {error}") from error
        self._carry_out = ray.remote(max_retries=RETRIES)(_carry_out)
        self._code = current_provenance().identity

    def submit(self, work: Work) -> ray.ObjectRef:
        """Take work."""
        return self._carry_out.remote(pickle.dumps(work), self._code)

    def wait(self, handles: Collection[ray.ObjectRef]) -> tuple[ray.ObjectRef, bytes]:
        """Return the first that is finished, with its result, or raise what the work raised."""
        [first], _ = ray.wait(list(handles))
        try:
            return first, ray.get(first)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            raise ChildProcessError(f"workers of the cluster are lost: {error}") from error

    def cancel(self, handles: Collection[ray.ObjectRef]) -> None:
        """Leave it to `close`: `ray.cancel` of what ends at that moment ends this process too."""

    def close(self) -> None:
        """Leave the cluster; it ends what waits and what is still carried out."""
        ray.shutdown()


def _carry_out(work: bytes, code: str) -> bytes:
    """Carry out work if this node has its code; before that is known nothing of it is loaded."""
    if (here := current_provenance().identity) != code:
        raise OSError(f"a node of the cluster has mec-moe-env {here} instead of {code}")
    return bytes(pickle.loads(work)())
