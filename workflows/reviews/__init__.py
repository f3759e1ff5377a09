"""The workflow of a quarterly review, and what opens it."""
