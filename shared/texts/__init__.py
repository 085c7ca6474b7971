"""Texts, as people order what becomes of them."""
