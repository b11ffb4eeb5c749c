"""How good a network is: its scores, its error bars, why its training ended, which to choose."""

from chainrule.evaluation.scores import Evaluation

__all__ = ["Evaluation"]
