"""What was promised and what was delivered: facts, and rates with their uncertainty."""
