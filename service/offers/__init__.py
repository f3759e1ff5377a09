"""Offers: what enablement gives to somebody of a role at a tier, at the moment when it helps."""
