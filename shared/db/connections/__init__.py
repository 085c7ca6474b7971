"""The ways in which a connection to PostgreSQL can be lost or hang, and how each is noticed."""
