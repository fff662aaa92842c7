# Completion of entra-invite(1) for bash. What can stand where the cursor is, the program itself tells.
# shellcheck shell=bash

_entra_invite() {
    local line=${COMP_LINE:0:COMP_POINT} words=() word lead= said
    read -ra words <<<"$line"
    # Behind a space there is a new word, of which nothing is typed yet.
    [[ $line != *[[:space:]] ]] || words+=('')
    word=${words[-1]}
    # bash takes what is behind the '=' for a word of its own, and puts in only that.
    [[ $word != --*=* || $COMP_WORDBREAKS != *=* ]] || lead=${word%%=*}=
    COMPREPLY=()
    while IFS=$'\t' read -r said _; do
        if [ "$said" = :files ]; then
            compopt -o default 2>/dev/null
            return 0
        fi
        COMPREPLY+=("${said#"$lead"}")
    done < <("${words[0]}" --complete "${words[@]:1}" 2>/dev/null)
    # A list with commas goes on.
    [[ ${COMPREPLY[0]-} != *,* ]] || compopt -o nospace 2>/dev/null
}

complete -F _entra_invite entra-invite
