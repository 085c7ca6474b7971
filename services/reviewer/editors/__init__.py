"""The orders of people about texts, carried out."""
