"""What somebody assumes by name so that a verdict may rest on it."""
