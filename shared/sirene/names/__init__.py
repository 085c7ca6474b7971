"""The name of an establishment: chosen among the register's fields, and shown in French case."""

from shared.sirene.names.choice import Name, NomSource, display_name, enseigne_of
from shared.sirene.names.display import display_form

__all__ = ["Name", "NomSource", "display_form", "display_name", "enseigne_of"]
