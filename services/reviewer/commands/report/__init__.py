"""The report on the quality of the texts: one page with plots."""
