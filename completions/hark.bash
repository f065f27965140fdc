# hark(1) completion for bash. Works with bash-completion and without it.
# Tests hold the lists below against hark's option table.

_hark_commands='list why test doctor bind explain save diff check drill lab help'
_hark_list_options='-r --recording --netns --json --color -v --verbose -h --help --version
  -a --all --sort --columns --no-header -w --wide --width --no-owners
  --no-reach --search --ascii'
_hark_why_options='-r --recording --netns --json --color -v --verbose -h --help --version
  -w --wide --width --search --ascii --from --in --to
  --graph -o --output'
_hark_test_options='--netns --json --color -v --verbose -h --help --version
  -w --wide --width --search --ascii --timeout --count --every --source
  --interface --verify --file --watch --via'
_hark_doctor_options='-r --recording --netns --json --color -v --verbose -h --help --version
  -w --wide --width --search --ascii --for'
_hark_bind_options='-r --recording --netns --json --color -v --verbose -h --help --version
  -w --wide --width --search --ascii --reuseaddr --no-reuseaddr --reuseport
  --v6only --device --user'
_hark_explain_options='--json --color -v --verbose -h --help --version'
_hark_save_options='--netns --json --color -v --verbose -h --help --version
  --redact --no-redact -f --force --daily --keep'
_hark_diff_options='-r --recording --netns --json --color -v --verbose -h --help --version
  -w --wide --width --search --ascii --exact'
_hark_check_options='-r --recording --netns --json --color -v --verbose -h --help --version
  -w --wide --width --search --ascii --learn --format'
_hark_drill_options='-r --recording --netns --json --color -v --verbose -h --help --version
  --count --seed --list'
_hark_lab_options='--json --color -v --verbose -h --help --version --list'
_hark_help_options='--color -v --verbose -h --help --version'
_hark_valued='-r --recording --netns --color --sort --columns --width --search --from --in --to
  -o --output --for --device --user --timeout --count --every --source --interface --file --via
  --keep --format --seed'
_hark_color_words='auto always never'
_hark_format_words='junit sarif'
_hark_sort_keys='port protocol address name pid user unit container netns scope queue drops started
  reach'
_hark_columns='port protocol bound address scope who reach name pid user unit container netns
  interface family state queue limit drops inode cookie cgroup uid exe cmdline
  started fds v6only started-by'
_hark_fields='proto family port address interface netns state scope user unit container name pid
  exe cmdline cgroup inode reachable reachable-from kind'
_hark_words='tcp udp mptcp udplite raw ipv4 ipv6 loopback one-address one-interface published
  not'

# The command on the line so far, in REPLY: the first word that is no option and no option's value.
_hark_find_command() {
  local i word skip=
  REPLY=list
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $skip ]]; then
      # "--color=always" arrives as three words.
      [[ $word == '=' ]] || skip=
    elif [[ $word == -- ]]; then
      return 1
    elif [[ $word == -* ]]; then
      [[ " $_hark_valued " == *" $word "* ]] && skip=1
    else
      [[ " $_hark_commands " == *" $word "* ]] && REPLY=$word
      return 1
    fi
  done
  return 0
}

_hark_offer() {
  local IFS=$' \t\n'
  COMPREPLY+=($(compgen -W "$1" -- "$2"))
}

_hark_offer_files() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY+=($(compgen -f -- "$1"))
}

_hark_offer_netns() {
  local name names=
  for name in /run/netns/*; do
    [[ -e $name ]] && names+=" ${name##*/}"
  done
  _hark_offer "all self host$names" "$1"
}

_hark_offer_interfaces() {
  local name names=
  for name in /sys/class/net/*; do
    [[ -e $name ]] && names+=" ${name##*/}"
  done
  _hark_offer "$names" "$1"
}

# The last of several words parted by commas; those before it stay.
_hark_offer_columns() {
  local before= word
  [[ $1 == *,* ]] && before=${1%,*},
  compopt -o nospace 2>/dev/null
  for word in $(compgen -W "$_hark_columns" -- "${1##*,}"); do
    COMPREPLY+=("$before$word")
  done
}

_hark_offer_filters() {
  _hark_offer "$_hark_words" "$1"
  local field
  for field in $(compgen -W "$_hark_fields" -- "$1"); do
    compopt -o nospace 2>/dev/null
    COMPREPLY+=("$field:")
  done
}

# True if $1 is an option whose value is $2, which is then completed.
_hark_offer_value() {
  case $1 in
    -r | --recording | -o | --output | --file) _hark_offer_files "$2" ;;
    --netns) _hark_offer_netns "$2" ;;
    --color) _hark_offer "$_hark_color_words" "$2" ;;
    --format) _hark_offer "$_hark_format_words" "$2" ;;
    --sort) _hark_offer "$_hark_sort_keys" "$2" ;;
    --columns) _hark_offer_columns "$2" ;;
    --in | --device | --interface) _hark_offer_interfaces "$2" ;;
    --user) COMPREPLY+=($(compgen -u -- "$2")) ;;
    --width | --from | --to | --for | --timeout | --count | --every | --source | --via | --keep | --seed) ;;
    *) return 1 ;;
  esac
  return 0
}

_hark() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} first= REPLY
  COMPREPLY=()
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  _hark_offer_value "$previous" "$current" && return
  _hark_find_command && first=1
  if [[ $current == -* ]]; then
    local options=_hark_${REPLY}_options
    _hark_offer "${!options}" "$current"
    return
  fi
  [[ $first ]] && _hark_offer "$_hark_commands" "$current"
  case $REPLY in
    list | why | test | doctor) _hark_offer_filters "$current" ;;
    save | check) _hark_offer_files "$current" ;;
    lab) _hark_offer "story hint answer check give-up quit $(hark lab --list 2>/dev/null | cut -d ' ' -f 1)" "$current" ;;
    diff)
      _hark_offer 'last yesterday' "$current"
      _hark_offer_files "$current"
      ;;
    help) _hark_offer "$_hark_commands" "$current" ;;
  esac
}

complete -F _hark hark
