"""PURE. What should happen, from Git, the ledger and what targets serve.

Documents of the user (project, pipeline, release), run keys, facts, gates, the plan, rollouts,
history. No clock, no network, no file: everything arrives as values and leaves as decisions. The
rules and their numbers are in docs/protocol.md; `gitwf.service` carries the decisions out.
"""
