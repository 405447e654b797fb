"""Around the runs: the journal, the ledger, retention, erasure, notification, canaries. Nothing here judges an account."""
