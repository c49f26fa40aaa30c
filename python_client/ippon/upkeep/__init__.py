"""Keeping nodes: backup, restore, upgrade. No part of any agent: what is done here needs the maintenance login."""
