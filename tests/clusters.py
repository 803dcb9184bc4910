"""A Ray cluster of two machines on this one: two raylets, with a core each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_worker_niceness": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",
}
"""Tests send no statistics, leave no token in the user's home, wait for no other program and start no cluster."""
SMALL: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@contextmanager
def two_nodes(**variables: str) -> Iterator[list[Any]]:
    """Give a cluster, its head and its other node.

    Args:
        variables: of the environment of its processes.
    """
    if not os.environ.get("REGROW_CLUSTER_TESTS"):  # Ray gives a node 30 s to start, which busy machines exceed
        pytest.skip("make test-cluster runs the tests that start a Ray cluster")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**QUIET, **variables}.items():
            environment.setenv(name, value)
        pytest.importorskip("ray")
        from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

        two = Cluster(initialize_head=True, head_node_args=SMALL, shutdown_at_exit=False)
        try:
            yield [two, two.head_node, two.add_node(**SMALL)]
        finally:
            two.shutdown()
