"""A process tried on past cases before it is used: what they would have met under it."""
