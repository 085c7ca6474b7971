"""`make init`, `make scale-…`, `make doctor`: the set-up of the containers, standard library only.

They run before anything is installed.
"""
