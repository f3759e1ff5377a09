"""Pages of the quarterly reviews: what came in, deciding, the board paper."""
