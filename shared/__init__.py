"""The base of every service: contracts, the register's domain, database, broker, metrics."""
