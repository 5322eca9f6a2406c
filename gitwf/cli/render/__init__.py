"""How results look: tables, trees, progress, JSON.

Colour and movement on a terminal, plain text of the same content in a pipe, JSON when asked for.
Renderers take values of the core and give text; they know no port and read no file.
"""
