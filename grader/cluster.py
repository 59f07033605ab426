"""A class on many machines: the executor of a `dask.distributed` cluster (extra `cluster`).

Its workers need this package, a sandbox and the course's folder at the same path. Submissions travel to them as text,
reports come back as JSON.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import NamedTuple


class ClusterUnavailable(Exception):
    """The cluster cannot be used; the text says why."""


class Cluster(NamedTuple):
    """A connection.

    Attributes:
        executor: runs functions on the cluster's workers.
        cores: how many it can run at once.
    """

    executor: Executor
    cores: int


@contextlib.contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """A connection to the scheduler at `address`, such as "tcp://10.0.0.1:8786"; closed with the block.

    Raises:
        ClusterUnavailable: the extra is not installed, nobody answers, or the cluster has no workers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ClusterUnavailable(
            "--cluster needs dask.distributed: pip install 'gradus-dl[cluster]'"
        ) from None
    try:
        client = Client(address, set_as_default=False)  # type: ignore[no-untyped-call]  # untyped
    except (OSError, ValueError) as error:
        raise ClusterUnavailable(f"no scheduler at {address}: {error}") from None
    with client:
        cores = sum(client.ncores().values())  # type: ignore[no-untyped-call]  # untyped
        if cores == 0:
            raise ClusterUnavailable(f"the cluster at {address} has no workers: start some")
        executor: Executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]  # untyped
        try:
            yield Cluster(executor, cores)
        finally:
            executor.shutdown(wait=False)
