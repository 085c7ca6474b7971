"""`prove ha`: nodes of RabbitMQ and servers of PostgreSQL are lost in the middle of an import."""
