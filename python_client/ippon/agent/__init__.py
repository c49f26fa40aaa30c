"""One organisation, one agent: it starts flows, waits, retries and remembers; the ledger decides."""
