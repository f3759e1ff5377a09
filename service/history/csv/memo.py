"""What cells mean, worked out once for each different one: dates and words repeat."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from service.history.csv.errors import RowUnusable

_REMEMBERED = 16_384  # different cells per column

Key = Any  # the text of one cell, or a tuple of several
Value = TypeVar("Value")


class Memo(dict[Key, Value | RowUnusable], Generic[Value]):
    """What each different cell means, or why it means nothing, worked out once."""

    def __init__(self, parse: Callable[[Sequence[str]], Value]) -> None:
        super().__init__()
        self._parse = parse
        self.had_unusable = False

    def __missing__(self, key: Key) -> Value | RowUnusable:
        value: Value | RowUnusable
        try:
            value = self._parse((key,) if isinstance(key, str) else key)
        except RowUnusable as error:
            value = error.with_traceback(None)
            self.had_unusable = True
        if len(self) >= _REMEMBERED:
            self.clear()
        self[key] = value
        return value


class IsoMemo(Memo[Any]):
    """A memo for cells that are mostly ISO moments from `low` to `high`: those go a short way."""

    def __init__(
        self, parse: Callable[[Sequence[str]], Any], low: datetime, high: datetime
    ) -> None:
        super().__init__(parse)
        self.low = low
        self.high = high

    def __missing__(self, key: Key) -> Any:
        try:
            moment = datetime.fromisoformat(key)
        except ValueError:
            return super().__missing__(key)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if not self.low <= moment <= self.high:
            return super().__missing__(key)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[key] = moment
        return moment
