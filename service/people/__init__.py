"""People: who they are, their tokens, how they sign in."""
