"""Another name of `chainrule.notes.costs`."""

from chainrule.notes.costs import COSTS, Cost, find_cost

__all__ = ["COSTS", "Cost", "find_cost"]
