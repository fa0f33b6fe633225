"""Keras as an oracle: the same network trained from the same weights on the same batches in Keras and in Netlet."""
