"""History: other people's records of use cases, read as cases."""

from service.history.batch import Batch, NumberBatch, Reject
from service.history.comparison import (
    FileVerdict,
    choose_as_of,
    choose_baseline,
    compare_file,
)
from service.history.errors import FileUnreadable, HistoryError, MapError
from service.history.files import HistoryFile
from service.history.looking import Look, Preview, look, preview
from service.history.maps import CANONICAL, HistoryMap, load_map, parse_map, shipped_maps
from service.history.plain import Numbers
from service.history.rejects import RejectsFile, rejects_path
from service.history.rows import Columns

__all__ = [
    "CANONICAL",
    "Batch",
    "Columns",
    "FileUnreadable",
    "FileVerdict",
    "HistoryError",
    "HistoryFile",
    "HistoryMap",
    "Look",
    "MapError",
    "NumberBatch",
    "Numbers",
    "Preview",
    "Reject",
    "RejectsFile",
    "choose_as_of",
    "choose_baseline",
    "compare_file",
    "load_map",
    "look",
    "parse_map",
    "preview",
    "rejects_path",
    "shipped_maps",
]
