"""The words of names and queries, and the entry of a page in the index (docs/adr/0036-search.md).

Pure: the indexer and the portal call the same functions, so that both have the same words.
"""
