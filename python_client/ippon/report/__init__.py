"""What happened, told from the records: vault snapshots, the proof of the invariants, the day's report."""
