"""Facts in, verdict out: survival, restricted means, the comparison. Pure: the domain and numpy."""
