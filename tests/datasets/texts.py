"""Tables of text, read as they are."""

import io

from chainrule.datasets import formats
from chainrule.datasets.encoding import Reading


def contents(text, **like):
    """Return what a text holds."""
    text = text if isinstance(text, bytes) else text.encode()
    return formats.read(io.BytesIO(text), None, Reading(**like), "t.txt")


def holds(text, **like):
    """Return the columns of a text as lists."""
    return {name: vector.tolist() for name, vector in contents(text, **like).table.items()}
