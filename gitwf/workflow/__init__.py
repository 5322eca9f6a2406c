"""The Argo Workflows language: documents, expressions and the run as a state machine.

Everything here is a pure function of its arguments. The package reads workflow documents
(`document`), evaluates the two expression languages in them (`expr` for `{{=…}}`, `depends` and
gates, `when` for `when`) and advances a run one event at a time (`machine`); `record` is what a run
leaves behind. It knows no Git, no release and no model, never reads a clock and never draws a
random number: time and chance arrive as arguments. Where Argo's documentation and Argo's code
differ, the code is the language. Read next: `record`, then `machine`.
"""
