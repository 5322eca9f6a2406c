"""Kubernetes, where one machine is not enough: rollouts of viewers, and runs on Argo Workflows.

`connection` speaks to one API server in plain dicts and turns what goes wrong into our own errors;
nothing else here knows the client library. `fields` says which fields of a Deployment a release
sets, `rollout` reads how far a Deployment has come: both are pure. `target` puts them together as
the port `Target`. gitwf owns exactly the fields it applies, as field manager `gitwf`.
"""
