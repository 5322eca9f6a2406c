"""Argo's documents: models of every kind, read strictly, resolved and checked before anything runs.

The way in is `load` (text to models, every mistake at its place), then `resolve` (one workflow and
all it reaches), then `validate` (Argo's own rules, in Argo's own words).
"""
