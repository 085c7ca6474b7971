"""Texts that a provider writes in batches, by the file and at a lower price."""
