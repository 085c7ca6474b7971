"""Elasticsearch beside PostgreSQL: an index a shard that answers ids (docs/adr/0036-search.md)."""
