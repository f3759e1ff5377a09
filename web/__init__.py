"""The pages: what people see, rendered on the server over the same services as the API."""
