"""Leases in PostgreSQL: one process at a time does a piece of work, until a deadline.

A process that is frozen, or lost its power, loses its lease at the deadline; no session and no
lock outlives it. When it wakes, its writes are fenced off: each transaction that writes asks
whether its token still counts, and nobody can take the lease before that transaction ends
(docs/adr/0037-leases.md).
"""
