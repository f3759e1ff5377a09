"""Hours spent on a use case, asked for in one tap."""
