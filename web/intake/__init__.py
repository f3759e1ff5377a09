"""Pages of the intake: the form, my use cases, one use case, the queue, the board."""
