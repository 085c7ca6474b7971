"""The query language of `q`: syntax, the variables it may name, and evaluation."""
