"""Around the runs: the journal is written, the ledger read, old data dropped, an account erased, the end of a run told, canaries planted.

Nothing here judges an account or changes what a run finds. What pages show of it lies below them, in pipeline/history.

    recording.py  append to the journal: one writer at a time, flushed, a torn last line removed
    feedback.py   notes, dispositions, allow entries and revocations about networks and accounts of the latest run
    ledger.py     what became of each run, and how old the last good one is
    summary.py    the end of a run as one JSON object
    notify.py     a command of the operator's that is given the summary
    holds.py      which runs and accounts a case holds
    retention.py  gc: what is older than the configured age, and what is lost with it
    erasure.py    erase: one account leaves the folder
    rewriting.py  the files of days and runs without one account
    canary.py     networks of the simulator's judged beside the log of a night
"""
