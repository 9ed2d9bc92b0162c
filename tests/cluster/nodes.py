"""A Ray cluster on this machine whose nodes come and go."""

import socket
from typing import Any

from ray.cluster_utils import Cluster

from tests.executors.waiting import await_that


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


class Nodes:
    """A head of one core, and at times another node of one core."""

    def __init__(self) -> None:
        port = free_port()
        head = {"num_cpus": 1, "ray_client_server_port": port}
        self.cluster: Any = Cluster(initialize_head=True, head_node_args=head)
        self.address = self.cluster.address
        self.through_client = f"ray://127.0.0.1:{port}"
        self.other: Any = None

    def add(self, **environment: str) -> None:
        """Start the other node, with an environment of its own."""
        self.other = self.cluster.add_node(num_cpus=1, env_vars=environment)
        # Those that were lost before are known to be lost.
        await_that(lambda: len(self.cluster.global_state._live_node_ids()) == 2)

    def lose(self) -> None:
        """Kill the other node with all that runs there."""
        self.cluster.remove_node(self.other, allow_graceful=False)
        self.other = None

    def end(self) -> None:
        self.cluster.shutdown()
