"""Measures: numbers in, numbers out. No table, path, clock or engine is known here; scikit-learn, scipy, igraph and numba live only here."""
