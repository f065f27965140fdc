#!/bin/sh
# What tools/check-docs lets through and what it does not.
# shellcheck source=tests/lint/common.sh
. "$1/tests/lint/common.sh"

cp "$root/dev" "$root/packages.txt" "$tree"
put program <<'END'
#!/bin/sh
echo "  --json   one object"
END
chmod +x "$tree/program"
page() {
  printf 'Run `./dev test`, see [the page](docs/page.md#there) and [a site](https://example.org).\n'
  printf '    hark list --json   # --not-this\n'
}
page | put README.md
echo text | put docs/page.md
accepts docs "a good page"

{ page; echo '[gone](docs/gone.md)'; } | put README.md
rejects docs "links to docs/gone.md" "a link to nothing"
{ page; echo 'Run `./dev dance` now.'; } | put README.md
rejects docs "./dev dance" "a command that does not exist"

# Options are held against what the program says of itself.
page | put README.md
if ! said=$("$root/tools/check-docs" "$tree" "$tree/program" 2>&1); then
  echo "wrongly rejected: a known option: $said"
  failures=$((failures + 1))
fi
{ page; echo '$ hark list --jsonish'; } | put README.md
if said=$("$root/tools/check-docs" "$tree" "$tree/program" 2>&1); then
  echo "wrongly accepted: an option that the program does not have"
  failures=$((failures + 1))
fi
finish
