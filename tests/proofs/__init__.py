"""What Sirenade promises, measured from outside over real services, servers and the true quota."""
