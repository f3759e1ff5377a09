"""The library: what enablement offers to builders, and what each asset of it does."""
