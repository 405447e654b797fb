"""Engines: the only code that loads SQL files and runs them.

`sqlfile` reads one file, checks that it stays in the portable subset (`portable`) and expands the `fx_*` helpers
(`dialect`); `duckdb` runs it embedded. Nothing else in the program imports duckdb or sqlglot.
"""
