"""Certification: kinds, requirements, certificates and waivers, and whom they stop."""
