"""Netlet's benchmarks: the cases of the project's targets, over Netlet and every peer that is installed.

``python -m benchmarks.run`` runs them, ``python -m benchmarks.compare RUN.json`` turns a run into tables and plots,
``benchmarks.footprint``, ``benchmarks.streaming`` and ``benchmarks.scaling`` measure what is not a matter of one call,
and ``benchmarks.readme`` shows the runs that are kept. The protocol is in ``benchmarks/README.md``.
"""
