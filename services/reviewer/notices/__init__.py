"""Notices without a model: the template, the slots of a text, and the label beside it. Pure."""
