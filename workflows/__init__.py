"""Temporal: one workflow per use case, the activity that records, the dispatcher, the worker."""
