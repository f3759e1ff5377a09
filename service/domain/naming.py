"""Keys as people read them."""


def plain(key: str) -> str:
    """A key of a stage, a party or a kind of evidence in words: launch-review is launch review."""
    return key.replace("-", " ").replace("_", " ")
