"""The live view: readings of PostgreSQL, RabbitMQ, Prometheus and /proc, and their drawing."""
