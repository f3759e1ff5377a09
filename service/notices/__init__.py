"""Notices: what somebody should know now, because it is their move or theirs has moved."""
