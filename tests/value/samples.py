"""Evidence as tests write it."""

from collections.abc import Sequence
from math import nan
from typing import NamedTuple

import numpy as np

from service.value.evidence import GRADES, NO_GRADE, Evidence
from service.value.grades import Grade


class Row(NamedTuple):
    """A use case: None is what nobody knows; without `due` nothing is due."""

    due: float | None
    delivered: float | None = None
    error: float | None = None
    grade: Grade | None = Grade.A
    group: str = "all"
    stopped: bool = False


def evidence(rows: Sequence[Row]) -> Evidence:
    """These use cases in columns."""
    groups = tuple(sorted({row.group for row in rows}))

    def column(values: Sequence[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([nan if one is None else one for one in values], dtype=np.float64)

    return Evidence(
        due=column([row.due for row in rows]),
        delivered=column([row.delivered for row in rows]),
        standard_error=column([row.error for row in rows]),
        grade=np.array(
            [NO_GRADE if row.grade is None else GRADES.index(row.grade) for row in rows],
            dtype=np.int64,
        ),
        stopped=np.array([row.stopped for row in rows], dtype=np.bool_),
        group=np.array([groups.index(row.group) for row in rows], dtype=np.int64),
        groups=groups,
    )
