"""A venue to test against: order books, call auctions, trading hours, files in, fills out. It settles nothing.

The matching is a function of what came in: the same orders at the same times give the same fills, byte for byte.
Prices are integers of sen (hundredths of a yen) inside, since two decimals are all that the ledger knows; times are
integers of milliseconds since 1970, UTC.
"""
