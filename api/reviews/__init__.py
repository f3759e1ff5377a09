"""Quarterly reviews: read by all who read reports, opened by enablement, decided by leadership."""
