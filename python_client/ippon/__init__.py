"""ippon: one-flow post-trade for security tokens on Corda."""

__version__ = "0.1.0"
