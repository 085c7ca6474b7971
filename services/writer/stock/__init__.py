"""Loads INSEE's monthly stock files into the register; nothing of it runs inside the service."""
