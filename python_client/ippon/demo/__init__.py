"""Plays a day of examples/ on the network of this machine: files into inboxes, waiting, looking, proving."""
