"""The counts by day: written with every transition, read by reports, rebuilt."""
