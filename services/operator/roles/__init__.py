"""`./sirenade roles`: the roles of PostgreSQL and the users of RabbitMQ, printed or made."""
