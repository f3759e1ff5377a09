"""Pictures of reports, drawn beside the server and kept."""

import hashlib
import json
from collections import OrderedDict
from typing import Literal

from charts.palette import Theme
from charts.reports import picture
from service.other_process import OtherProcess
from service.reports.registry import Name
from service.reports.report import Figures

MOST_KEPT = 128


class Drawings:
    """Draws in a process of its own: the renderer would hold up every other request."""

    def __init__(self) -> None:
        self._process = OtherProcess()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    async def draw(
        self,
        report: Name,
        found: Figures,
        kind: Literal["svg", "png"],
        *,
        which: str = "",
        theme: Theme = Theme.LIGHT,
    ) -> bytes:
        """`charts.reports.picture`; the same report is drawn once."""
        asked = json.dumps([report, kind, which, theme, found.model_dump_json()])
        key = hashlib.sha256(asked.encode()).digest()
        if key not in self._kept:
            drawn = await self._process.do(picture, report, found, kind, which=which, theme=theme)
            self._kept[key] = drawn
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return drawn
        self._kept.move_to_end(key)
        return self._kept[key]

    def close(self) -> None:
        """No more is drawn."""
        self._process.close()
