# Completion of entra-invite(1) for fish. What can stand where the cursor is, the program itself tells.

function __entra_invite_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l said ($before[1] --complete $before[2..-1] "$current" 2>/dev/null)
    if test "$said[1]" = :files
        # Of --option=FILE the option stays in front.
        set -l option (string match -r -- '^--[^=]*=' "$current")
        for file in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
            printf "%s\n" "$option$file"
        end
    else if set -q said[1]
        printf '%s\n' $said
    end
end

complete -c entra-invite -f -a '(__entra_invite_complete)'
