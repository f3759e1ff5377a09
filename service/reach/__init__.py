"""How far a use case has come since going live: who uses it, and what stands in the way."""
