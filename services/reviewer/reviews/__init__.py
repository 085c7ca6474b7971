"""Reviews that customers published elsewhere: what a `synthese` may quote, and nothing else."""
