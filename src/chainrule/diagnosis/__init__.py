"""Which mistake a wrong gradient shows."""

from chainrule.diagnosis.check import check_gradient
from chainrule.diagnosis.mistakes import MISTAKES

__all__ = ["MISTAKES", "check_gradient"]
