"""The workflow that locks the verdict of a quarter."""
