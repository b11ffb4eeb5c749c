"""The notes' six steps of training a network: initialise, check the gradient once, minimise."""

from chainrule.training.checked import WrongGradientError, check_before_training
from chainrule.training.steps import train

__all__ = ["WrongGradientError", "check_before_training", "train"]
