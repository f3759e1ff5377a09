"""Tests of the process as a document."""
