"""The stock files: where they are, how they are opened, and their rows."""
