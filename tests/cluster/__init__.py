"""A real Kubernetes for the tests, and for a person who wants to look at one.

`provider` chooses where it comes from: a cluster that KUBECONFIG names and GITWF_TEST_CLUSTER=1
allows, kind where a container engine answers, or processes of our own where we are root on Linux.
`fixtures` hands it to tests, `python -m tests.cluster` to people.
"""
