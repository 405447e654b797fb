"""What stands behind a claim: a finished run asked for the bits, the facts and the rows of its findings."""
