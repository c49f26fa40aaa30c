"""How fast a network is, beside plain payments on the same nodes: `make bench`."""
