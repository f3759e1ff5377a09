"""The formats in which runs of harnesses come."""
