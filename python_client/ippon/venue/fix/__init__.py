"""FIX 4.4: brokers' orders in, execution reports and a drop copy of all fills out.

The engine is fixcore. What is here is the mapping, a store that loses nothing, and the gateway between sessions and the
floor. docs/venue.md maps each field to its tag.
"""
