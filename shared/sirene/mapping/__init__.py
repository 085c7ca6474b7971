"""INSEE's records as rows of the register. Pure."""
