"""Prompts, as versioned files; a change of one is a new version of every text."""
