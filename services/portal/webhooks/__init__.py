"""Webhooks: whoever asked for it is told of the pages that changed."""
