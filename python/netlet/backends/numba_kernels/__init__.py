"""Kernels for Numba, and the encoding of a Program for them. Nothing here is imported unless the backend is used.

================  =====================================================================================================
``steps``         the two entries: a run of forward passes, and a run of training (or other) steps
``network``       forward and backward through the encoded op list
``dense``, ``activation``, ``softmax``, ``loss``, ``metric``, ``optimizer``   one family of ops each
``update``        the optimizer's step around the jitted rules
``layers``        embedding, dropout and normalizations, called op by op;  ``layer_calls`` binds them
``gemm``          matrix products
``random``        the shuffle
``codes``         the numbers of the encoding;  ``encode`` writes them
``view``          cheap views into the workspace
``jit``           decorators, settings, the cache
================  =====================================================================================================
"""
