"""The business case of the report's section #04: what post-trade costs today, what it costs on one line, and why."""
