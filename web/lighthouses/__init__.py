"""Lighthouses on pages."""
