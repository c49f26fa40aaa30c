"""Schema revisions of the agent's store, run by `Store.migrate`."""
