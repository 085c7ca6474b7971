"""The proofs of Sirenade's promises, measured from outside on real services and servers."""
