"""What holds for all tests."""

import os
import signal

# Some tests press Ctrl-C. A shell starts its background jobs (`make test &`) with SIGINT ignored,
# Python then leaves it so, and the key would never be heard.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A mistake in the command is a traceback, not one line with a code of its own
os.environ["CHAINRULE_TRACEBACK"] = "1"
