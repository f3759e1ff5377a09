"""The pages of certification: mine, coverage and lapses, and what administrators keep."""
