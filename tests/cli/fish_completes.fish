#!/usr/bin/env fish
# Asks the fish completion what it would offer: fish_completes.fish COMPLETION_FILE
source $argv[1]
set -g failed 0

# expect WANTED LINE: WANTED must be among the offers for LINE; "!WANTED" must not.
function expect
    set -l offers (complete -C $argv[2] | string replace -r '\t.*' '')
    set -l wanted (string replace -r '^!' '' -- $argv[1])
    if contains -- $wanted $offers
        string match -q -- '!*' $argv[1]; or return
        echo "$argv[2]: offers $wanted"
    else
        string match -q -- '!*' $argv[1]; and return
        echo "$argv[2]: does not offer $wanted, but: $offers"
    end
    set -g failed 1
end

expect list 'hark '
expect save 'hark sa'
expect why 'hark wh'
expect --from 'hark why 80 --fr'
expect lo 'hark why 80 --in l'
expect '!--from' 'hark list --fr'
expect user: 'hark us'
expect '!save' 'hark tcp sa'
expect --json 'hark --js'
expect '!--redact' 'hark --red'
expect --redact 'hark save --red'
expect '!--sort' 'hark save --so'
expect always 'hark --color al'
expect sarif 'hark check --format s'
expect '!--learn' 'hark --le'
expect queue 'hark --sort q'
expect port,pid 'hark --columns port,pi'
expect --columns=port,pid 'hark --columns=port,pi'
expect save 'hark help s'
expect --all 'hark -r f --al'
exit $failed
