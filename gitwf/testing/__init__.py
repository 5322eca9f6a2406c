"""What tests of gitwf, and of plug-ins for it, are made of; shipped to users.

In-memory ports that keep every law of the real ones, temporary repositories behind a real
`git http-backend`, and a clock that moves when it is told to.
"""
