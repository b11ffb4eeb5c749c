"""Photos of digits: how they are read, what the network that reads them is trained on."""

from chainrule.handwriting.reading import Digit, read_digits

__all__ = ["Digit", "read_digits"]
