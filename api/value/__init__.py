"""What a use case promised and what it delivered, over HTTP."""
