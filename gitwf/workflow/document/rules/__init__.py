"""Argo's static rules by subject, with the words Argo says them in (Argo: workflow/validate).

Argo stops at the first mistake; here every rule reports all it finds, each at its place, and the
first that Argo would report carries the text that Argo would give. Read first: `report`, then
`walk`, which goes from template to template in Argo's order.
"""
