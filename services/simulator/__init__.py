"""An INSEE-like Sirene 3.11 server: real HTTP, generated or recorded records, fault knobs."""
