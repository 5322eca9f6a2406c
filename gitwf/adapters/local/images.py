"""What images run of themselves, for containers that give no command.

Only what Argo's own examples use; a document says any other command. In containers, the image
knows.
"""

from collections.abc import Mapping

# Argo's example image: what `/argosay` in it does, in our words.
_ARGOSAY = """
set -eu
case "${1-}" in
  '') echo 'hello argo' ;;
  echo)
    case $# in
      1) echo 'hello argo' ;;
      2) printf '%s\\n' "$2" ;;
      3) mkdir -p "$(dirname "$3")"; printf '%s\\n' "$2" > "$3" ;;
    esac ;;
  cat) cat "$2" ;;
  sleep) sleep "$2" ;;
  sh) sh "$2" ;;
  assert_contains) grep -F -- "$3" "$2" ;;
  exit) exit "${2:-0}" ;;
  *) exit 1 ;;
esac
"""

ENTRYPOINTS: Mapping[str, tuple[str, ...]] = {
    "argoproj/argosay:v2": ("sh", "-c", _ARGOSAY, "argosay")
}
