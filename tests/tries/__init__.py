"""Tests of processes tried on past cases."""
