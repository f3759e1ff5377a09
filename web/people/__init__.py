"""Pages about people: signing in, my account, administration."""
