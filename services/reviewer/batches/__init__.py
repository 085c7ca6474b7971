"""Texts that are asked for by the file: submitted, polled, collected, at a lower price."""
