"""Write the demo's transcript into README.md: `readme.py` writes, `readme.py --check` compares.

What differs from run to run (times, ports, ids, counts) is masked before two transcripts are
compared, and a README that says the same is left as it is. `masked` is that one place.
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"
BEGIN = "<!-- transcript of `gitwf demo`, written by scripts/readme.py -->\n```text\n"
END = "```\n<!-- end of the transcript -->\n"
MASKS = [
    # Whether a rollout's end was watched or found a moment later is chance; its record is not.
    (r"(?m)^\d\d:\d\d:\d\d  production serves .*\n", ""),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE"),
    (r"\b\d\d:\d\d:\d\d\b", "TIME"),
    (r"\b(\d+ min )?\d+(\.\d)? s\b", "SECONDS"),
    (r"http://127\.0\.0\.1:\d+/", "URL"),
    (r"sha256:[0-9a-f]{64}", "DIGEST"),
    (r"\b[0-9a-f]{7,40}\b", "COMMIT"),
    (r"asked \d+ times", "asked SOME times"),
    (r"made by (R-Shiny|Python page)", "made by VIEWER"),
]


def masked(transcript: str) -> str:
    """The transcript without what differs from run to run."""
    for pattern, mask in MASKS:
        transcript = re.sub(pattern, mask, transcript)
    return transcript.strip()


def shown(readme: str) -> str:
    """The transcript that a README shows; ends the program when it has no place for one."""
    before, begin, rest = readme.partition(BEGIN)
    block, end, _ = rest.partition(END)
    if not (before and begin and end):
        sys.exit("README.md has no place for the transcript, or two halves of one")
    return block


def play() -> str:
    """Run the demo and give what it prints. Ends the program when it fails."""
    # A pipe is as wide as rich takes it to be, not as the terminal behind this program.
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "FORCE_COLOR"}}
    done = subprocess.run(
        [sys.executable, "-m", "gitwf", "demo", "--exit"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"the demo failed:\n{done.stdout}")
    return done.stdout


def differences(readme: str, transcript: str) -> list[str]:
    """In what the README's transcript and another differ, masked; empty when they are the same."""
    old, new = masked(shown(readme)).splitlines(), masked(transcript).splitlines()
    return list(difflib.unified_diff(old, new, "README.md", "gitwf demo", lineterm=""))


def main() -> None:
    """Play the demo; write the README, or compare and say what differs."""
    readme = README.read_text("utf-8")
    shown(readme)
    transcript = play()
    found = differences(readme, transcript)
    if not found:
        return
    if "--check" in sys.argv[1:]:
        print("\n".join(found))
        sys.exit("the README's transcript has drifted: run scripts/readme.py")
    old, new = (BEGIN + text + END for text in (shown(readme), transcript.strip() + "\n"))
    README.write_text(readme.replace(old, new), "utf-8")
    print("wrote README.md")


if __name__ == "__main__":
    main()
