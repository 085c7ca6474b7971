"""Private servers for the demo and the tests: own ports, own data, no system service touched."""
