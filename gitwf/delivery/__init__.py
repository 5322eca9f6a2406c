"""PURE. What should happen, from Git, the ledger and what targets serve.

No clock, no network, no file: everything arrives as values and leaves as decisions. The rules and
their numbers are in docs/protocol.md; `gitwf.service` carries the decisions out, one at a time:

    observed.Observed  what a pass read: targets first, then the head, then the ledger
    plan.plan          (Observed, now) -> action.Plan: actions in order, each with its reason
    action             Claim … Report; a write to the ledger carries `decide(facts)`, a commit on
                       the branch its edits and the head it must be put on
    facts, entry       the ledger read back, and what may be added to it
    training claiming occasion supersede     which run HEAD wants and who makes it
    promotion rollout gates                  what a release file may name, what is served
    keys request trail schedule              pure views of history and time
    project pipeline release agreement       the user's documents, alone and together
    document writing schema messages         how they are read, written and described
    verbs                                    what a person may do by command
    history diff status                      what to show

Read `plan` first: it is short, and every other module is one call away from it.
"""
