"""Reviews that customers published elsewhere, and the `synthese` that quotes them."""
