"""What was promised and what was delivered: rates with their uncertainty, from facts alone."""
