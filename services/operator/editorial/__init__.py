"""The editors' reading: texts, those that are held, their money, and people who object.

Each function takes the connection of the control database, or one for each shard.
"""
