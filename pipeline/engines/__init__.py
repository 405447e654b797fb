"""Engines: the only code that loads SQL files and runs them.

`sqlfile` reads one file's header; `duckdb` runs the file as it stands, embedded, with the `fx_*` helpers (`dialect`) as macros. `strict` is what the tests
ask of every file: one SELECT of the portable subset (`portable`), and how another engine would write it. Nothing else in the program imports duckdb or sqlglot.
"""
