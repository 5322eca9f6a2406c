"""A run as a pure state machine: events in, commands out, a record at any moment.

`begin` makes a run, `Run.start` and `Run.advance` move it. No clock, no file, no chance: the same
events give the same commands, so that an engine that was killed feeds its journal to a fresh run
and is where it was. Read in this order: `messages` (the contract), `run` (the hub), `nodes`,
`calls`, then `steps` and `dag`.
"""

from gitwf.workflow.machine.again import try_again as try_again
from gitwf.workflow.machine.beginning import begin as begin
from gitwf.workflow.machine.run import Run as Run
