"""Which engine computes a network."""

import numpy as np
import pytest
import scipy.sparse

from chainrule import Network, engine
from chainrule.engine import choice
from chainrule.kernel import BUILT
from chainrule.notes.activations import ACTIVATIONS
from chainrule.notes.costs import COSTS

pytestmark = pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")


def test_the_kernel_knows_nothing_that_the_reference_does_not():
    assert set(choice.built.ACTIVATIONS) <= set(ACTIVATIONS)
    assert set(choice.built.OUTPUTS) <= set(COSTS)


@pytest.mark.parametrize(("names", "lacking"), [("ACTIVATIONS", "tanh"), ("OUTPUTS", "exp")])
def test_what_the_kernel_lacks_numpy_computes(names, lacking, monkeypatch):
    network = Network((2, 3, 1), hidden="tanh", output="exp")
    known = tuple(name for name in getattr(choice.built, names) if name != lacking)
    monkeypatch.setattr(choice.built, names, known)
    choice._kernel.cache_clear()
    assert engine.chosen(network) == "numpy"
    h = engine.predict(network, np.zeros(network.size), np.ones((1, 2)))
    np.testing.assert_array_equal(h, [[1.0]])
    with pytest.raises(ValueError, match=r"the kernel knows .*: for any other, use engine='numpy'"):
        engine.chosen(network, "kernel")
    choice._kernel.cache_clear()


def test_a_sparse_X_is_numpys():
    X = scipy.sparse.csr_array(np.eye(2))
    assert engine.chosen(Network((2, 1)), X=X) == "numpy"
    with pytest.raises(ValueError, match="the kernel knows no sparse X"):
        engine.chosen(Network((2, 1)), "kernel", X)
