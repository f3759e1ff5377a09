"""The intake: handing in, deciding, what waits for whom."""
