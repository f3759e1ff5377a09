"""The text of an asset: Markdown by anybody, as HTML that can do no harm.

CommonMark and tables. HTML in it is shown as it was typed, pictures are not loaded, and a link
leads to the web or to a mail and nowhere else.
"""

from functools import cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

HEADINGS_BEGIN = 3
"""What the text calls a heading stands under the page's own."""


def is_safe_address(address: str) -> bool:
    """Whether something can be linked to: nothing but the web."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.netloc)


def as_html(text: str) -> str:
    """Markdown as HTML."""
    reader = _reader()
    tokens = reader.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            level = min(int(token.tag[1:]) + HEADINGS_BEGIN - 1, 6)
            token.tag = f"h{level}"
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("rel", "noopener noreferrer nofollow")
        # Written into style attributes, which the pages' policy forbids.
        token.attrs.pop("style", None)
    html = reader.renderer.render(tokens, reader.options, {})
    return str(html)


@cache
def _reader() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    made.validateLink = _may_link  # type: ignore[method-assign, assignment]
    return made


def _may_link(address: str) -> bool:
    return is_safe_address(address) or address.lower().startswith("mailto:")
