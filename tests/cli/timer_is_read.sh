#!/bin/sh
# timer_is_read.sh SYSTEMD-ANALYZE FOLDER HARK: systemd finds nothing wrong with the units of FOLDER, and
# the cron line and the unit run a command line that hark takes.
set -u
analyze=$1 folder=$2 hark=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp "$folder"/hark-daily.timer "$folder"/hark-daily.service "$work"/
# The program is where it was built.
sed -i "s|^ExecStart=[^ ]*|ExecStart=$hark|" "$work"/hark-daily.service
"$analyze" verify --man=no "$work"/hark-daily.timer "$work"/hark-daily.service >"$work"/said 2>&1
status=$?
# What systemd says of units that are not ours is not ours.
if [ $status != 0 ] && grep -q hark-daily "$work"/said; then
  cat "$work"/said
  exit 1
fi
grep hark-daily "$work"/said && exit 1
words=$(sed -n 's/^ExecStart=[^ ]* //p' "$folder"/hark-daily.service)
[ "$words" = "save --daily" ] || { echo "ExecStart runs: $words"; exit 1; }
grep -q "/hark $words" "$folder"/hark-daily.cron || { echo "cron runs something else"; exit 1; }
# shellcheck disable=SC2086
STATE_DIRECTORY=$work/state "$hark" $words 2>"$work"/said || { cat "$work"/said; exit 1; }
[ "$(find "$work"/state -name '????-??-??.hark' -perm 600 | wc -l)" = 1 ]
