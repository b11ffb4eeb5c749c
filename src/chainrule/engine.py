"""Where Delta is summed, and by what: everything that trains or predicts goes through here."""

from chainrule.backprop import accumulate, predict
from chainrule.minibatch import epoch

__all__ = ["accumulate", "epoch", "predict"]
