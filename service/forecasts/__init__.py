"""When a use case will probably be in production."""
