"""Pages for leadership: the verdict and the other reports."""
