"""The process on pages."""
