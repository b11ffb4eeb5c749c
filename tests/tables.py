"""What the tests of tables share."""

import re

import numpy as np
import pytest

from chainrule.common.checks import DataError


def write(folder, name, content=None, **arrays):
    """Write a csv, or arrays as an npz, and return its path."""
    path = folder / name
    if arrays:
        np.savez(path, **arrays)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(message, function, *arguments, **options):
    """Call, and check that it is refused with exactly this one line."""
    with pytest.raises(DataError) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)
    assert re.sub(r"\S*/", "", str(caught.value)) == message
