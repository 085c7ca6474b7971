"""Reports: HTML pages that stand alone, with plots. Imported by commands only."""
