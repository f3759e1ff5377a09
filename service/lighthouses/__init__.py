"""Lighthouses: use cases that are meant to be live by a day, so that others can follow them."""
