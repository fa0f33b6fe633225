"""The conformance kit: what authors of ops and backends test with.

::

    @pytest.mark.parametrize("target", targets(), ids=str)
    @pytest.mark.parametrize("case", all_cases(), ids=str)
    def test_op_matches_reference(case, target):
        target.require(case)
        assert_close(target.run(case), case.reference(), within=case.tolerance)
"""

from netlet.testing.cases import all_cases
from netlet.testing.compare import assert_close
from netlet.testing.guards import Guards
from netlet.testing.target import Target, targets

__all__ = ["Guards", "Target", "all_cases", "assert_close", "targets"]
