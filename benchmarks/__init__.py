"""Netlet's benchmarks: the cases of the project's targets, over Netlet and every peer that is installed.

``python -m benchmarks.run`` runs them, ``python -m benchmarks.compare RUN.json`` turns a run into a ratio table and
plots. The protocol is in ``benchmarks/README.md``.
"""
