"""French words, grammar and tables for the texts. Pure."""
