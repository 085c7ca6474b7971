"""The set-up of the containers: `make init`, `make scale-…`, `make doctor`.

It runs before anything is installed and uses the standard library only, of `shared` no more than
`shared.transit`.
"""
