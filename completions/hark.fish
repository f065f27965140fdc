# hark(1) completion for fish. Tests hold the lists below against hark's option table.

set -g __hark_commands list why test doctor bind explain save diff check drill lab help
set -g __hark_columns port protocol bound address scope who reach name pid user unit container netns interface family state queue limit drops inode cookie cgroup uid exe cmdline started fds v6only started-by
set -g __hark_sort_keys port protocol address name pid user unit container netns scope queue drops started reach
set -g __hark_fields proto family port address interface netns state scope user unit container name pid exe cmdline cgroup inode reachable reachable-from kind
set -g __hark_words tcp udp mptcp udplite raw ipv4 ipv6 loopback one-address one-interface published not

# The command on the line so far; "none" before it is clear, "list" if it was left out.
function __hark_command
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip -eq 1
            set skip 0
        else if contains -- $word -r --recording --netns --color --sort --columns --width --search --from --in --to -o --output --for --device --user --timeout --count --every --source --interface --file --via --keep --format --seed
            set skip 1
        else if string match -q -- '-*' $word
            continue
        else if contains -- $word $__hark_commands
            echo $word
            return
        else
            echo list
            return
        end
    end
    echo none
end

function __hark_in
    contains -- (__hark_command) $argv
end

function __hark_column_list
    set -l before (commandline -ct | string replace -rf '^(--columns=)?(.*,)?[^,]*$' '$2')
    printf '%s\n' $before$__hark_columns
end

complete -c hark -f
complete -c hark -n '__hark_in none' -a list -d 'who is listening, who owns it, who can reach it'
complete -c hark -n '__hark_in none' -a why -d 'can a client reach it, and which fact decides'
complete -c hark -n '__hark_in none' -a test -d 'connect for real, and set what is seen beside what is predicted'
complete -c hark -n '__hark_in none' -a doctor -d 'what makes a listener not work, or work for too many'
complete -c hark -n '__hark_in none' -a bind -d 'would bind and listen succeed, and who is in the way'
complete -c hark -n '__hark_in none' -a explain -d 'what an error message means, and what to ask next'
complete -c hark -n '__hark_in none' -a save -d 'record what the kernel of this host says'
complete -c hark -n '__hark_in none' -a diff -d 'what came, went or changed since a recording'
complete -c hark -n '__hark_in none' -a check -d 'what was expected of this host against what is there'
complete -c hark -n '__hark_in none' -a drill -d 'five minutes of questions about this very host'
complete -c hark -n '__hark_in none' -a lab -d 'practice on a broken host in a sandbox'
complete -c hark -n '__hark_in none' -a help -d 'explain a command'
complete -c hark -n '__hark_in help' -a '$__hark_commands'
complete -c hark -n '__hark_in lab' -a 'story hint answer check give-up quit (hark lab --list 2>/dev/null | cut -d " " -f 1)'
complete -c hark -n '__hark_in save diff check' -F
complete -c hark -n '__hark_in diff' -a 'last yesterday'
complete -c hark -n '__hark_in none list why test doctor' -a '$__hark_words $__hark_fields:'

complete -c hark -l color -x -a 'auto always never' -d 'when to use colour'
complete -c hark -s v -l verbose -d 'say what was asked, and what could not be seen'
complete -c hark -s h -l help -d 'explain the command'
complete -c hark -l version -d 'print the version'

complete -c hark -n '__hark_in none list why test doctor bind save diff check drill' -l netns -x -a 'all self host (path basename /run/netns/* 2>/dev/null)' -d 'look into one namespace'
complete -c hark -n '__hark_in none list why test doctor bind explain save diff check drill lab' -l json -d 'print one JSON object'

complete -c hark -n '__hark_in none list why doctor bind diff check drill' -s r -l recording -r -F -d 'answer from a recording'
complete -c hark -n '__hark_in none list' -s a -l all -d 'a row for each socket'
complete -c hark -n '__hark_in none list' -l sort -x -a '$__hark_sort_keys' -d 'order of the rows'
complete -c hark -n '__hark_in none list' -l columns -x -a '(__hark_column_list)' -d 'show these columns'
complete -c hark -n '__hark_in none list' -l no-header -d 'leave the heading out'
complete -c hark -n '__hark_in none list why test doctor bind diff check' -s w -l wide -d 'as wide as it takes'
complete -c hark -n '__hark_in none list why test doctor bind diff check' -l width -x -d 'fit that many columns'
complete -c hark -n '__hark_in none list' -l no-owners -d 'look into no process'
complete -c hark -n '__hark_in none list' -l no-reach -d 'read no rules and routes'
complete -c hark -n '__hark_in none list why test doctor bind diff check' -l search -x -a 'survey tasks files proc' -d 'how owners are searched'
complete -c hark -n '__hark_in none list why test doctor bind diff check' -l ascii -d 'plain ASCII'

complete -c hark -n '__hark_in why' -l from -x -a '(__fish_print_hostnames)' -d 'the client'
complete -c hark -n '__hark_in why' -l in -x -a '(path basename /sys/class/net/*)' -d 'by which interface it comes in'
complete -c hark -n '__hark_in why' -l to -x -d 'which address of this host it asks'
complete -c hark -n '__hark_in why' -l graph -d 'draw the stages and chains'
complete -c hark -n '__hark_in why' -s o -l output -r -F -d 'draw into FILE.svg or FILE.dot'

complete -c hark -n '__hark_in test' -l timeout -x -d 'how long each attempt may take'
complete -c hark -n '__hark_in test drill' -l count -x -d 'how many tries, or questions'
complete -c hark -n '__hark_in test' -l every -x -d 'so far apart'
complete -c hark -n '__hark_in test' -l source -x -d 'send from this address'
complete -c hark -n '__hark_in test' -l interface -x -a '(path basename /sys/class/net/*)' -d 'send by this interface alone'
complete -c hark -n '__hark_in test' -l verify -d 'a certificate that does not hold counts as no answer'
complete -c hark -n '__hark_in test' -l file -r -F -d 'more targets, one a line'
complete -c hark -n '__hark_in test' -l via -x -a 'ssh: netns: container:' -d 'from there as well'
complete -c hark -n '__hark_in test' -l watch -d 'go on, and tell each change'

complete -c hark -n '__hark_in doctor' -l for -x -d 'watch for so many seconds'

complete -c hark -n '__hark_in bind' -l reuseaddr -d 'the program sets SO_REUSEADDR'
complete -c hark -n '__hark_in bind' -l no-reuseaddr -d 'it does not'
complete -c hark -n '__hark_in bind' -l reuseport -d 'it sets SO_REUSEPORT'
complete -c hark -n '__hark_in bind' -l v6only -d 'it sets IPV6_V6ONLY'
complete -c hark -n '__hark_in bind' -l device -x -a '(path basename /sys/class/net/*)' -d 'it binds to this interface'
complete -c hark -n '__hark_in bind' -l user -x -a '(__fish_complete_users)' -d 'who runs it'

complete -c hark -n '__hark_in save' -l redact -d 'take out what looks like secrets (the default)'
complete -c hark -n '__hark_in save' -l no-redact -d 'keep command lines as they are'
complete -c hark -n '__hark_in save' -s f -l force -d 'replace the file whatever it is'
complete -c hark -n '__hark_in save' -l daily -d 'into the state directory, by date'
complete -c hark -n '__hark_in save' -l keep -x -d 'remove older ones'
complete -c hark -n '__hark_in diff' -l exact -d 'compare every fact'

complete -c hark -n '__hark_in check' -l learn -d 'write a policy of what is there now'
complete -c hark -n '__hark_in check' -l format -x -a 'junit sarif' -d 'print what CI reads'

complete -c hark -n '__hark_in drill' -l seed -x -d 'the same number asks the same questions'
complete -c hark -n '__hark_in drill lab' -l list -d 'show what there is, ask nothing'
