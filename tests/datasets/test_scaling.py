"""Numbers standardised, and their own units again."""

import numpy as np

from chainrule.datasets.scaling import Scaling


def test_scaling_of_constant_columns_and_targets():
    X = np.array([[0.1, 1.0], [0.1, 3.0], [0.1, 8.0]])
    scaling = Scaling.fit(X)
    assert scaling.scale[0] == 1
    np.testing.assert_allclose(scaling.apply(X).std(axis=0), [0, 1])
    np.testing.assert_allclose(scaling.undo(scaling.apply(X)), X)
    y = X[:, 1]
    assert Scaling.fit(y).apply(y).shape == (3,)
    assert scaling.apply(X.astype(np.float32)).dtype == np.float32
