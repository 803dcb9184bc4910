#!/usr/bin/env bash
# Every figure of the docs again: the commands of docs/explain/figures.md, in order, about ten hours on two idle cores.
# What each prints goes to out/figures, and what is there already is not made again. A command that fails is named, and
# the others go on.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
mkdir -p out/figures
failed=0 number=0
while IFS= read -r command; do
    number=$((number + 1))
    to=out/figures/$(printf %02d "$number").txt
    test -e "$to" && { echo "there already: $to"; continue; }
    echo "$(date +%H:%M)  $command"
    if { echo "$command"; bash -c "$command" </dev/null; } >"$to.part"; then mv "$to.part" "$to"; else failed=1; echo "FAILED: $command; $to.part"; fi
done < <(sed -n '/^The commands/,$p' docs/explain/figures.md | grep -E '^(regrow|python) ')
exit $failed
