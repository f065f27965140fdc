#!/bin/bash
# Asks the bash completion what it would offer: bash_completes.sh COMPLETION_FILE
source "$1"
failed=0

# expect WANTED WORD…: WANTED must be among the offers for the last WORD; "!WANTED" must not.
expect() {
  local wanted=$1 reply
  shift
  COMP_WORDS=(hark "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _hark 2>/dev/null
  for reply in "${COMPREPLY[@]}"; do
    if [[ $reply == "${wanted#!}" ]]; then
      [[ $wanted == !* ]] || return 0
      echo "hark $*: offers ${wanted#!}"
      failed=1
      return
    fi
  done
  [[ $wanted == !* ]] && return 0
  echo "hark $*: does not offer $wanted, but: ${COMPREPLY[*]}"
  failed=1
}

expect list ''
expect save sa
expect tcp t
expect why wh
expect --from why 80 --fr
expect lo why 80 --in l
expect tcp why t
expect '!--from' list --fr
expect '!why' --from wh
expect user: us
expect '!save' tcp sa
expect '!save' -- sa
expect --json --js
expect --recording -r f --rec
expect '!--redact' --red
expect --redact save --red
expect '!--sort' save --so
expect --force save host.hark --fo
expect yesterday diff y
expect --exact diff last --ex
expect always --color al
expect sarif check --format s
expect --learn check --le
expect '!--learn' --le
expect always --color = al
expect always --color =
expect queue --sort q
expect pid --columns pi
expect port,pid --columns port,pi
expect self --netns se
expect '!list' -r li
expect save help s
expect '!--json' help --js
exit $failed
