"""How far a use case has come since going live, on its page."""
