"""Continuous delivery of machine-learning models by Git.

Git says what should be, the target says what is, a pure function says what to do next, and a thin
edge does it and writes down why. Start reading at `gitwf.delivery.plan` for the decisions,
`gitwf.workflow.machine` for the run of a workflow, `gitwf.ports` for the edge.
"""

__version__ = "0.1.0"
