"""Workers for the tests of this folder."""

import pytest

from grader.worker.pool import Pool


@pytest.fixture(scope="module")
def pool():
    """Idle workers, ended with the module."""
    pool = Pool()
    yield pool
    pool.close()
