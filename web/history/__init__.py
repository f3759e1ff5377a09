"""Pages for a file of history: compare it, bring it in."""
