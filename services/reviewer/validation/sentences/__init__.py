"""The grammar that reads a notice sentence by sentence. Pure."""
