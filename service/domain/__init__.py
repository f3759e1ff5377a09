"""Lifecycle, pathways, tiering, the clock. Pure: no I/O, no hidden now(), standard library only."""
