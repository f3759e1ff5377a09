"""Offers: the page of all of them, and what a use case is offered."""
