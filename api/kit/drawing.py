"""Pictures of reports, drawn beside the server and kept."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Literal

from charts import harness, portfolio
from charts.palette import Theme
from charts.reports import picture
from service.harness.series import HarnessSeries
from service.other_process import OtherProcess
from service.portfolio.figures import PortfolioFigures
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
        return await self._draw(
            partial(picture, report), report, found, kind=kind, which=which, theme=theme
        )

    async def draw_portfolio(
        self, found: PortfolioFigures, kind: Literal["svg", "png"], *, which: str, theme: Theme
    ) -> bytes:
        """`charts.portfolio.picture`."""
        return await self._draw(
            portfolio.picture, "portfolio", found, kind=kind, which=which, theme=theme
        )

    async def draw_harness(
        self, found: HarnessSeries, kind: Literal["svg", "png"], *, theme: Theme
    ) -> bytes:
        """`charts.harness.picture`."""
        return await self._draw(harness.picture, "harness", found, kind=kind, which="", theme=theme)

    async def _draw(
        self,
        make: Callable[..., bytes],
        name: str,
        found: Figures,
        *,
        kind: str,
        which: str,
        theme: Theme,
    ) -> bytes:
        asked = json.dumps([name, kind, which, theme, found.model_dump_json()])
        key = hashlib.sha256(asked.encode()).digest()
        if key not in self._kept:
            drawn = await self._process.do(make, found, kind, which=which, theme=theme)
            self._kept[key] = drawn
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return drawn
        self._kept.move_to_end(key)
        return self._kept[key]

    def close(self) -> None:
        """No more is drawn."""
        self._process.close()
