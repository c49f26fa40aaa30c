"""The agents' own code on a model ledger, in one process, under faults that a seed decides (design law 13).

    book       what is true: transactions and the notary
    member     one node's inside: vault, tables, locks, what is pending
    flows_*    the flows of docs/node-operations.md as generators: each `yield` is where a real flow suspends
    network    runs flows and carries messages
    door       the `Node` that an agent calls, with its faults
    store      stores in memory that lock up, are full, and die
    day        a day of trading, made of the seed
    world      the agents, and the rounds in which all of it happens
    checks     what must be true at the end (I1 to I8, I10 to I12); desks: I7, I8 and I11

`python -m ippon.simulator --seed 123 --trace` plays one seed again, to the byte.
"""
