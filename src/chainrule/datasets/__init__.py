"""Tables from files of many formats, and what their columns mean."""

from chainrule.datasets.dataset import Dataset
from chainrule.datasets.tables import load, load_like, split

__all__ = ["Dataset", "load", "load_like", "split"]
