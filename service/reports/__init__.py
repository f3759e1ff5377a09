"""Reports: facts out of the database, given to the measuring. One module per report."""
