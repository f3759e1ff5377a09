"""The portfolio as pages."""
