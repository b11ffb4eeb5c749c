"""Tables wherever they lie, read a block of rows at a time: `blocks` opens them."""

from chainrule.engine.readers.door import blocks
from chainrule.engine.readers.views import Encoded, Kept

__all__ = ["Encoded", "Kept", "blocks"]
