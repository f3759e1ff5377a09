"""Runs of evaluation harnesses: read, judged, kept, and the gates that a pass opens."""
