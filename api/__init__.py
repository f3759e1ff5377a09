"""JSON over HTTP: one module per resource under routes/, schemas, and errors in one place."""
