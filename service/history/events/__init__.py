"""Event logs in and out: XES and CSV, as process-mining tools read and write them."""

from service.history.events.files import Batch, EventFile
from service.history.events.maps import (
    OWN,
    EventMap,
    load_event_map,
    parse_event_map,
    shipped_event_maps,
)
from service.history.events.writing import write_csv, write_xes

__all__ = [
    "OWN",
    "Batch",
    "EventFile",
    "EventMap",
    "load_event_map",
    "parse_event_map",
    "shipped_event_maps",
    "write_csv",
    "write_xes",
]
