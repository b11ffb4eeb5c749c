"""ALVINN: a small network watches a driver for a few minutes, then steers by itself.

After Dean Pomerleau's *Autonomous Land Vehicle In a Neural Network*, in CarRacing-v3, a game
that others wrote.  The notes point to his videos.
"""
