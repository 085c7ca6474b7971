"""The quality of the texts on one page to look at."""
