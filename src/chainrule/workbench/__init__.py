"""A training as the command and a page do it: what is asked, how it is done, who is told."""
