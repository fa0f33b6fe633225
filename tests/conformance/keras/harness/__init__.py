"""Runs Keras' own unit tests, one process a file, against Netlet behind stand-in modules."""
