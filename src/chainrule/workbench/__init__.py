"""A training as the command and the page do it: what is asked, how it is done, who is told."""
