# Completion of runwatchctl for fish. The program does the work; fish quotes what it answers.

# The word under the cursor as the program would get it; its quotes may still be open.
function __runwatchctl_current
    set -l token (commandline -ct | string collect)
    for closing in '' \' '"'
        if string unescape -- "$token$closing" 2>/dev/null
            return
        end
    end
    echo -- $token
end

function __runwatchctl_complete
    set -l words (commandline -opc)
    set -l current (__runwatchctl_current | string collect)
    set -l program $words[1]
    set -e words[1]
    set -l lines (command $program __complete words -- $words "$current" 2>/dev/null)
    if test "$lines[1]" = files
        set -l lead (string match -r -- '^--[^=]+=' "$current")
        for path in (__fish_complete_path (string replace -- "$lead" '' "$current"))
            printf '%s%s\n' "$lead" $path
        end
        return
    end
    set -e lines[1]
    string join \n -- $lines
end

complete -c runwatchctl -f -a '(__runwatchctl_complete)'
