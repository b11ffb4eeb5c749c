"""The page of `chainrule look`: a guarded server on this machine, and the page that it serves.

It has no formula of its own: what it shows, other packages compute.
"""
