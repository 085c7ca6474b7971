"""The indexes of Elasticsearch, kept in step with the pages by the log of their changes."""
