"""Certification over HTTP: my certificates, what is asked, and what administrators keep."""
