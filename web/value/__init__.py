"""What a use case promised and what it delivered, on its page."""
