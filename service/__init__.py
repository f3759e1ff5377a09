"""The product itself: what a use case is, how it moves, what its clock says."""
