"""The roles of PostgreSQL and the users of RabbitMQ: what each service may do (ADR 34).

Its modules are pure and need the standard library alone: `make init` reads them before anything is
installed.
"""
