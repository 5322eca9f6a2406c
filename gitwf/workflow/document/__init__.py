"""Argo's documents: models of every kind, read strictly, resolved and checked before anything runs.

The way in: `load.load` (files to models, every mistake at its place), `resolve.resolve` (one
workflow and all it reaches), `validate.validate` (Argo's own rules in Argo's own words) and
`unsupported.check` (what an engine cannot run). None of them touches a disk.
"""
