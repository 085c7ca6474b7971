"""How Sirenade is set up and run; nothing that ships imports it."""
