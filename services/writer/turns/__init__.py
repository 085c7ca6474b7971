"""The days on which stored periods begin to hold."""
