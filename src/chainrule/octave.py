"""Another name of `chainrule.datasets.octave`."""

from chainrule.datasets.octave import digits, labels, read, transpose_images, write

__all__ = ["digits", "labels", "read", "transpose_images", "write"]
