"""One workflow for each use case, what records it, and what starts and repairs it."""
