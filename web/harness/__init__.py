"""Runs of harnesses on the pages: what they found, and the tokens that bring them."""
