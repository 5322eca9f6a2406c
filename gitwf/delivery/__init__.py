"""PURE. What should happen, from Git, the ledger and what targets serve.

No clock, no network, no file: everything arrives as values and leaves as decisions. The rules and
their numbers are in docs/protocol.md; `gitwf.service` carries the decisions out, one at a time:

    observed.Observed  what a pass read: targets first, then the head, then the ledger
    plan.plan          (Observed, now) -> action.Plan: actions in order, each with its reason
    action             Claim … Report; a write to the ledger carries `decide(facts)`, a commit on
                       the branch its edits and the head it must be put on
    facts, entry       the ledger read back, and what may be added to it
    project pipeline release   the user's documents;  keys request trail  pure views of history
    gates schedule     what a model must pass, when it is trained although nothing changed
    verbs              what a person may do by command, as edits and entries
    history status diff explain   what to show

`document` loads documents (Rejected with every mistake), `schema` describes them.
"""
