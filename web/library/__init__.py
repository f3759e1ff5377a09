"""The library on pages: what there is, one asset, and what a use case has taken."""
