"""The live view of everything: read from PostgreSQL, RabbitMQ, Prometheus and /proc, then drawn."""
