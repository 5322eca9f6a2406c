"""What runs: observe, plan, act, and observe again until nothing is left to do.

`reconcile` is one pass to the end, `loop` keeps doing it. Decisions are all made in
`gitwf.delivery`; this package reads the ports, asks, and does what it was told with a
compare-and-swap. Nothing is remembered between passes that could not be read again.
"""
