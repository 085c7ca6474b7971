"""Totals of the whole system, from PostgreSQL to /metrics.

They stay true while replicas come and go. All operators show the same: take the max, never the sum.
"""
