#!/bin/sh
# What `dev` does without building anything: its words, and its list of packages.
# shellcheck source=tests/lint/common.sh
. "$1/tests/lint/common.sh"

expect() {
  if [ "$2" != "$3" ]; then
    printf '%s: expected %s, got %s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
  fi
}

# From another folder, below a path with blanks, through a relative path.
mkdir -p "$tree/a b/c"
cp "$root/dev" "$tree/a b"
printf '[run]\none # why\ntwo\n[test]\ntwo\nthree\n' >"$tree/a b/packages.txt"
cd "$tree/a b/c"
expect "one section" "one two" "$(../dev packages run | tr '\n' ' ' | sed 's/ $//')"
expect "two sections" "one two three" "$(../dev packages run test | tr '\n' ' ' | sed 's/ $//')"
expect "no such section" "" "$(../dev packages ru)"

../dev help >/dev/null || expect "status of help" 0 $?
status=0
../dev dance >/dev/null 2>said || status=$?
expect "status of an unknown command" 2 "$status"
expect "message of an unknown command" "dev: no command dance" "$(head -n 1 said)"
expect "longest line of help" "" "$(../dev help | awk 'length > 80')"

# Where a package is missing, a user who is not root and has no sudo is told which.
mkdir fake
for tool in awk cat dirname id sed sh tr mkdir head; do
  ln -s "$(command -v "$tool")" "fake/$tool"
done
rm fake/id
printf '#!/bin/sh\necho 1000\n' >fake/id
printf '#!/bin/sh\necho "one installed"\nexit 1\n' >fake/dpkg-query
chmod +x fake/id fake/dpkg-query
status=0
PATH=$PWD/fake ../dev run >out 2>said || status=$?
expect "status without the right to install" 1 "$status"
expect "nothing on standard output" "" "$(cat out)"
expect "names what is missing" "dev: install them as root: apt-get install two" "$(tail -n 1 said)"
finish
