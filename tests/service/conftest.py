"""A desk on a database of the test's own."""

import pytest

from service.database import Sessions
from tests.service.desk import Desk, open_desk


@pytest.fixture
def desk(sessions: Sessions) -> Desk:
    """People hand in and decide."""
    return open_desk(sessions)
