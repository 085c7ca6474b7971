"""The private servers of the demo and the tests: own ports, own data, no system service."""
