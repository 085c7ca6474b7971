"""The query language of `q`: its syntax, its variables and its evaluation."""
