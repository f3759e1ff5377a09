"""Runs of evaluation harnesses over HTTP, and the tokens with which machines bring them."""
