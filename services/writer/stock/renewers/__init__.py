"""The processes that renew groups of pages, and what one group is."""
