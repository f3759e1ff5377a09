"""What can be wrong with a history file as a whole, and with one of its rows."""


class HistoryError(Exception):
    """Nothing can be read at all; the message says what to change."""


class MapError(HistoryError):
    """A map is not valid; the message names the key in the TOML."""


class FileUnreadable(HistoryError):  # noqa: N818 - named for the fact
    """The file, its encoding or its header cannot be read."""


class RowUnusable(Exception):  # noqa: N818 - a fact about a row, never seen by a caller
    """One row cannot be used: because of which canonical column (or "row"), and the reason."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason
