"""From a chart to an image: `draw`. No browser and no network; fonts come with the renderer.

Drawing takes 50 to 300 ms, and the first one in a process half a second more. The renderer holds
the interpreter's lock meanwhile, so that a thread does not keep a server answering: draw in
another process, or keep what was drawn (the same data gives the same bytes).
"""

import json
import re
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape, quoteattr

from charts.layout import FONT
from charts.palette import Theme, values

if TYPE_CHECKING:
    import altair as alt

Kind = Literal["svg", "png"]

VEGA_LITE = "6.4"
SYSTEM_FONTS = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', "
    "sans-serif"
)
"""What an SVG asks its viewer for. It ships no font."""

_NOT_XML = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_COLOURED = {"color", "fill", "stroke", "background"}


def draw(
    chart: "alt.LayerChart",
    kind: Kind,
    theme: Theme = Theme.LIGHT,
    *,
    scale: float = 1.0,
    transparent: bool = False,
) -> bytes:
    """The chart as an SVG (UTF-8) or PNG file. The same chart gives the same bytes, anywhere.

    `scale` is how many pixels of a PNG make one of the chart's: 2 for print and sharp screens; an
    SVG has none. `transparent` leaves the ground out, for a page that has the theme's own. An SVG
    refers to nothing outside, holds no id, style or script, and carries the chart's description.
    """
    import vl_convert

    colours = values(theme)
    spec = _resolved(chart.to_dict(validate=False), colours)
    if transparent:
        spec["config"]["background"] = None
    options: dict[str, Any] = {"vl_version": VEGA_LITE, "allowed_base_urls": []}
    text = json.dumps(spec, allow_nan=False)
    if kind == "png":
        return vl_convert.vegalite_to_png(text, scale=scale, **options)
    return _finished(vl_convert.vegalite_to_svg(text, **options), spec).encode()


def _resolved(part: Any, colours: dict[str, str], key: str = "", *, data: bool = False) -> Any:
    """Names of colours get their values; what XML cannot hold is left out.

    A colour is "@name" in a place for colours, and the field `tint` of a row. Words of users are in
    neither.
    """
    if isinstance(part, dict):
        return {
            name: _resolved(value, colours, name, data=data or name in {"data", "datasets"})
            for name, value in part.items()
        }
    if isinstance(part, list):
        return [_resolved(value, colours, key, data=data) for value in part]
    if not isinstance(part, str):
        return part
    if data and key == "tint":
        return colours[part]
    if part.startswith("@") and not data and (key in _COLOURED or key.endswith("Color")):
        return colours[part[1:]]
    return _NOT_XML.sub("", part)


def _finished(svg: str, spec: dict[str, Any]) -> str:
    svg = svg.replace(f'font-family="{FONT}"', f'font-family="{SYSTEM_FONTS}"')
    title, description = spec["usermeta"]["title"], spec["description"]
    words = f'role="img" aria-label={quoteattr(title)}'
    return svg.replace('class="marks"', words, 1).replace(
        "><", f"><desc>{escape(description)}</desc><", 1
    )
