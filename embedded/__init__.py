"""Real engines for one machine, from wheels: PostgreSQL and the Temporal server."""
