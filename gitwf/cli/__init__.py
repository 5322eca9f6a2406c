"""The command line: the only place that prints or picks an exit code.

Each module holds one group of commands and is loaded when one of them is asked for, so that
`gitwf --help` costs little more than Python itself. `main` is the funnel every error leaves by: a
`gitwf.errors` exception becomes a message and its exit code, never a traceback. Exit codes: 0 in
sync, 1 failed, 2 a document is wrong, 3 changes pending. Read next: `gitwf.wiring`.
"""

import gc
import importlib
import os
import sys
from typing import Any

import click

from gitwf import __version__, errors
from gitwf.cli import streams

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "demo": (
            "gitwf.cli.demo",
            "Watch the whole loop on this machine: push, train, serve, revert.",
        ),
        "init": ("gitwf.cli.documents", "Scaffold a repository, or take place in an existing one."),
        "lint": ("gitwf.cli.documents", "Check every document; all mistakes in one go."),
        "schema": ("gitwf.cli.documents", "Print the JSON Schema of a document kind."),
    },
    "Deliver": {
        "plan": ("gitwf.cli.planning", "Say what a reconcile would do, and why."),
        "reconcile": ("gitwf.cli.delivering", "Do what is missing, once."),
        "serve": ("gitwf.cli.delivering", "Keep reconciling until told to stop."),
        "status": (
            "gitwf.cli.planning",
            "Say what each environment should serve and does serve.",
        ),
    },
    "Run": {
        "run": ("gitwf.cli.running", "Run a workflow file, or a pipeline, on this machine."),
        "runs": ("gitwf.cli.looking", "List the runs of this machine, or show one."),
        "logs": ("gitwf.cli.looking", "Print what the steps of a run wrote."),
        "stop": ("gitwf.cli.steering", "End a run; its exit handlers still run."),
        "terminate": ("gitwf.cli.steering", "End a run at once."),
        "resume": ("gitwf.cli.steering", "Let a suspended or interrupted run go on."),
        "retry": ("gitwf.cli.asking", "Try a failed run, or a failed run key, again."),
        "retrain": ("gitwf.cli.asking", "Ask for a new training with nothing changed in Git."),
    },
    "Release": {
        "history": ("gitwf.cli.versions", "List a model's versions, from Git alone."),
        "show": ("gitwf.cli.versions", "Tell all about one version, from Git alone."),
        "diff": ("gitwf.cli.versions", "Say in what two versions differ."),
        "fsck": ("gitwf.cli.versions", "Check that branch, ledger and store tell one story."),
        "promote": ("gitwf.cli.releasing", "Release a version, as a commit."),
        "rollback": ("gitwf.cli.releasing", "Release the last good version before this one."),
        "hold": ("gitwf.cli.releasing", "Stop automation from promoting in an environment."),
        "unhold": ("gitwf.cli.releasing", "Let automation promote again."),
        "reject": ("gitwf.cli.releasing", "Mark a version as one nobody should serve."),
    },
    "Serve": {
        "fetch": ("gitwf.cli.serving", "Put a checked model in place."),
        "front": ("gitwf.cli.serving", "Run the local front of an environment."),
        "down": ("gitwf.cli.serving", "Stop the local front of an environment."),
    },
}
COMMANDS = {name: place for section in SECTIONS.values() for name, place in section.items()}


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps, and loads one when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the sections."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the module of `cmd_name` and return its command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        # What is loaded stays: the collector of cycles would walk over it, and over it again.
        gc.disable()
        module = importlib.import_module(COMMANDS[cmd_name][0])
        gc.freeze()
        gc.enable()
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which known one is nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else "; `gitwf --help` lists them"
            ctx.fail(f"no command `{name}`{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; that its reader has seen enough, as `head` has, is no failure of it."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            streams.unread(sys.stdout)
            return 0
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section, without importing any of them."""
        del ctx
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, place[1]) for name, place in commands.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="gitwf %(version)s")
def gitwf() -> None:
    """Continuous delivery of machine-learning models by Git.

    You push a commit; gitwf runs the pipelines it touches, records the new model version as a
    commit, and rolls the viewer over to it. `git log` is the audit, `git revert` the rollback.

    Completion: eval "$(_GITWF_COMPLETE=bash_source gitwf)", or zsh_source, fish_source.
    """


def complain(error: errors.GitwfError) -> None:
    """Print an error as a person reads it: every diagnostic on its line, the hint last."""
    if isinstance(error, errors.Rejected):
        for diagnostic in error.diagnostics:
            click.echo(str(diagnostic), err=True)
    else:
        click.echo(click.style("error: ", fg="red", bold=True) + error.message, err=True)
        if error.hint:
            click.echo("  try: " + error.hint, err=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from gitwf.cli.render import github

        github.complain(error)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; ends the process with its exit code."""
    if sys.platform == "win32":
        click.echo("gitwf runs on Linux and macOS; Windows is not a target (use WSL)", err=True)
        sys.exit(1)
    streams.ready()
    # Plugins that happen to be installed are to change neither what a document means nor the start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        code = gitwf.main(arguments, prog_name="gitwf", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except errors.GitwfError as error:
        complain(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except OSError as error:
        # Adapters translate what they meet; this is a file that a person named, or a full disk.
        complain(errors.of_the_machine(error))
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
