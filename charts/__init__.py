"""Pictures of the reports: plain data in, SVG or PNG out. No database, no browser, no network."""
