"""What attaches runs that passed while the engine was away."""
