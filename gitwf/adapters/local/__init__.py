"""The local engine: workflows as processes of this machine.

`engine` is the port; a `drive` thread per run feeds the machine's commands to a rung of the
isolation ladder and its answers to the journal, then back to the machine. `bare` and `sandbox` are
the rungs, `launcher` the small process behind the latter. `pod` says what a step needs from a rung,
`outcome` what its end means in Argo's words. Nothing outside this package starts a step.
"""
