"""The portfolio: every use case with what it promised, delivered and costs, and what is missing."""
