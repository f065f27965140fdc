# For the self-tests: a made-up tree, and what a check says of it. Sourced with ROOT as first argument.
set -eu
root=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT INT TERM
failures=0

# put PATH: writes standard input to that file of the tree.
put() {
  mkdir -p "$tree/$(dirname "$1")"
  cat >"$tree/$1"
}

# accepts CHECK WHAT and rejects CHECK WORDS WHAT: run tools/check-CHECK on the tree.
accepts() {
  if ! said=$("$root/tools/check-$1" "$tree" 2>&1); then
    echo "wrongly rejected: $2: $said"
    failures=$((failures + 1))
  fi
}
rejects() {
  if said=$("$root/tools/check-$1" "$tree" 2>&1); then
    echo "wrongly accepted: $3"
    failures=$((failures + 1))
    return
  fi
  case $said in
    *"$2"*) ;;
    *)
      echo "rejected for another reason: $3: $said"
      failures=$((failures + 1))
      ;;
  esac
}
finish() {
  [ "$failures" -eq 0 ] || { echo "$failures failures"; exit 1; }
  echo "all as expected"
}
