"""The loading of INSEE's monthly stock files into the register; it never runs in the service."""
