"""What trains, without the checks of what a user gives: `chainrule.engine`."""

from benchmarks.contestants.chainrule_ import gradient as public_gradient

__all__ = ["public_gradient"]
