"""The library: read and proposed by everybody, published by enablement, taken by use cases."""
