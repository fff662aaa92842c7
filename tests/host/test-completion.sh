#!/bin/bash
# Completion in real shells, for somebody who is not root: verbs, options, states, rules, files, and logins from the view.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
for shell in bash zsh fish; do command -v "$shell" >/dev/null || skip_all "$shell is not here"; done
set_up "rules = ( $default_rules, { name = \"vendors\"; group = \"vendors\"; } );"
useradd -M -G partners -c 'Taylor Example <taylor@fabrikam.com>' taylor >"$work/useradd" 2>&1
assert_within 20 'taylor is in the view' eval 'entra-invite status --list-logins | grep -qx taylor'

as_anybody() { # COMMAND...
    runuser -u nobody -- env -i HOME=/tmp TERM=dumb LANG=C.UTF-8 PATH="$PATH" "$@"
}
assert_eq 'anybody may list the covered logins' taylor "$(as_anybody entra-invite status --list-logins)"
assert_false 'and asks nobody for it: the socket is root'\''s' as_anybody entra-invite list

# Types each line into an interactive shell on a terminal, presses Tab, and prints what the line is then. The shell says
# it itself, as an argument of echo; what is typed does not have the mark in one piece.
cat >"$work/type" <<'END'
zmodload zsh/zpty
shell=$1
shift
case $shell in
bash)
    zpty it bash --norc --noprofile -i
    begin='. /usr/share/bash-completion/bash_completion'
    ;;
zsh)
    zpty it zsh -f -i
    begin='autoload -Uz compinit && compinit -D -u'
    ;;
esac
zpty -w it "$begin; PS1='REA''DY '"
zpty -r it seen '*READY *'
for line in "$@"; do
    zpty -n -w it "$line"$'\t\x01echo D""ONE \n'
    zpty -r it seen $'*DONE *\n*'
    print -r -- "${${seen##*DONE }%%$'\r'*}"
done
END
typed() { # SHELL LINE...
    as_anybody timeout 50 zsh -f "$work/type" "$@" 2>&1
}
chmod 755 "$work" && chmod 644 "$work/type"

starts=('entra-invite ev' 'entra-invite list --older' 'entra-invite list --state pend' 'entra-invite list --state=pend'
    'entra-invite events tay' 'entra-invite list --rule vend' 'entra-invite list --sort=login,requ'
    'entra-invite --config /etc/hostn')
ends=('entra-invite events' 'entra-invite list --older-than' 'entra-invite list --state pending'
    'entra-invite list --state=pending' 'entra-invite events taylor' 'entra-invite list --rule vendors'
    'entra-invite list --sort=login,requested' 'entra-invite --config /etc/hostname')
for shell in bash zsh; do
    mapfile -t got < <(typed "$shell" "${starts[@]}")
    for i in "${!starts[@]}"; do
        read -r one <<<"${got[i]-}"
        assert_eq "$shell: ${starts[i]} and Tab" "${ends[i]}" "$one"
    done
done

# fish tells what it would offer.
offered_by_fish() { # LINE
    as_anybody fish -c 'complete -C $argv[1]' -- "$1" 2>&1 | cut -f 1
}
for i in "${!starts[@]}"; do
    assert_eq "fish: ${starts[i]} and Tab" "${ends[i]##* }" "$(offered_by_fish "${starts[i]}" | grep -v '/hostname\.' | xargs)"
done

# ---- all verbs and all options, as --help has them -------------------------------------------------------------------

verbs=$(entra-invite --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort | xargs)
options=$(entra-invite list --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort | xargs)
offered_by_bash() { # LINE
    as_anybody bash -c '. /usr/share/bash-completion/completions/entra-invite
        COMP_LINE=$1 COMP_POINT=${#1} && _entra_invite && printf "%s\n" "${COMPREPLY[@]}"' bash "$1"
}
assert_match 'there are verbs' 'events .* status' "$verbs"
for shell in bash fish; do
    assert_eq "$shell: all verbs" "$verbs" "$("offered_by_$shell" 'entra-invite ' | sort | xargs)"
    assert_eq "$shell: all options of list" "$options" "$("offered_by_$shell" 'entra-invite list --' | sort | xargs)"
done
assert_eq 'bash: behind sudo' taylor "$(as_anybody bash -c '. /usr/share/bash-completion/bash_completion
    _comp_load sudo 2>/dev/null || _completion_loader sudo
    COMP_LINE="sudo entra-invite show ta" COMP_POINT=${#COMP_LINE} COMP_CWORD=3 COMP_WORDS=(sudo entra-invite show ta)
    COMP_TYPE=9 COMP_KEY=9
    _sudo sudo ta show 2>/dev/null || _comp_cmd_sudo sudo ta show
    printf "%s\n" "${COMPREPLY[@]}"' 2>&1)"

# ---- nothing to read --------------------------------------------------------------------------------------------------

stop_worker
assert_eq 'without the worker: logins all the same' taylor "$(offered_by_bash 'entra-invite show t')"
rm "$public/status.cdb"
assert_eq 'without a view: no logins, and no error on the line' '' "$(offered_by_bash 'entra-invite show t' 2>&1)"
assert_eq 'bash: and no error at a terminal' 'entra-invite show t' "$(typed bash 'entra-invite show t' | sed 's/ *$//')"

finish
