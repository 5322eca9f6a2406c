"""The edge: one package for each piece of the outside world, strangers to one another.

An adapter implements a port of `gitwf.ports`, translates its library's exceptions into
`gitwf.errors` at its border, and decides nothing. Only `gitwf.wiring` knows which ones are in use.
"""
