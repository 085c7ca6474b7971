"""Set-up and operation of Sirenade; nothing that ships imports it."""
