"""The conformance kit: what authors of ops, layers and backends test with.

::

    @pytest.mark.parametrize("target", targets(), ids=str)
    @pytest.mark.parametrize("case", all_cases(), ids=str)
    def test_op_matches_reference(case, target):
        target.require(case)
        assert_close(target.run(case), case.reference(), within=case.tolerance)

    def test_my_layer():
        check_gradient(MyLayer(), (None, 3))
"""

from netlet.testing.cases import all_cases
from netlet.testing.compare import assert_close
from netlet.testing.guards import Guards
from netlet.testing.layers import check_gradient
from netlet.testing.target import Target, targets

__all__ = ["Guards", "Target", "all_cases", "assert_close", "check_gradient", "targets"]
