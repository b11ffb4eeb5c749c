"""Another name of `chainrule.notes.activations`."""

from chainrule.notes.activations import ACTIVATIONS, Activation

__all__ = ["ACTIVATIONS", "Activation"]
