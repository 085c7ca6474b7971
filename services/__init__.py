"""One package per service; none imports another (see the import contracts in pyproject.toml)."""
