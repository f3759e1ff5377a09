"""A sample organisation: `headway demo` fills an installation with it, and takes it away again."""
