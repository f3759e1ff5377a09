"""History: other people's records of use cases, read as cases."""
