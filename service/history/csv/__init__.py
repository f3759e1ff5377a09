"""Files of history in CSV: read as cases, or as reasons why a row cannot be one."""

from service.history.csv.batch import Batch, NumberBatch, Reject
from service.history.csv.comparison import FileVerdict, choose_as_of, choose_baseline, compare_file
from service.history.csv.errors import FileUnreadable, HistoryError, MapError
from service.history.csv.files import HistoryFile
from service.history.csv.first_look import Look, Preview, look, preview
from service.history.csv.maps import CANONICAL, HistoryMap, load_map, parse_map, shipped_maps
from service.history.csv.plain_rows import Numbers
from service.history.csv.rejects import RejectsFile, rejects_path
from service.history.csv.rows import Columns

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
