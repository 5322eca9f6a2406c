"""Text that people wrote: YAML read strictly, checked against a model, edited byte by byte.

Everything here knows places: a value remembers the file, line and column it was read from, so that
whoever finds it wrong can say where. No module here knows what a workflow or a release is.
"""
