"""What every service builds on: contracts, the register's domain, database, broker, metrics."""
