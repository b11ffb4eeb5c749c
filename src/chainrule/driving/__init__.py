"""ALVINN: a small network watches a driver for a few minutes, then steers by itself.

After Dean Pomerleau's *Autonomous Land Vehicle In a Neural Network*, on CarRacing-v3, a game by
others: the notes point to his videos.
"""
