"""The quarterly review: what is asked, what is decided, and how earlier predictions came out."""
