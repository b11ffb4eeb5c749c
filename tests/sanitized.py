"""A pytest plugin: the kernel is the one at CHAINRULE_KERNEL, built with sanitizers."""

import importlib.util
import os
import sys
from pathlib import Path

NAME = "chainrule.kernel._kernel"


def pytest_configure():
    """Load it before anything imports chainrule."""
    (file,) = Path(os.environ["CHAINRULE_KERNEL"]).glob("_kernel*.so")
    spec = importlib.util.spec_from_file_location(NAME, file)
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
