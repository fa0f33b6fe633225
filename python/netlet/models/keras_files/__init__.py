"""Keras' own files, read and written: ``.keras`` models and ``.weights.h5`` weights, of Keras 3.

A ``.keras`` file is a zip archive of ``config.json`` (layers, how they are joined, how the model was compiled),
``metadata.json`` and ``model.weights.h5``. Reading one runs no code from it: classes are looked up in Netlet's tables
and in ``custom_objects``, nothing is imported, and sizes are checked against the file before memory is asked for.

- ``archive``: the zip; ``hdf5``: the weights in it, which need h5py (``pip install 'netlet[keras]'``)
- ``objects``, ``layers``, ``graph``, ``compilation``: parts of ``config.json``, in either direction
- ``optimizer_state``: what an optimizer keeps, as Keras lists it
- ``order``: in which order Keras numbers the layers of a graph
- ``files``: what ``save`` and ``load_model`` call
"""
