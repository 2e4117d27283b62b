# Completion of runwatchd for fish.

complete -c runwatchd -f
complete -c runwatchd -s c -l config -r -F -d 'The main file of the configuration'
complete -c runwatchd -l state-dir -x -a '(__fish_complete_directories)' -d 'Where runwatch.db lives'
complete -c runwatchd -l socket -r -F -d 'The control socket'
complete -c runwatchd -l version -d 'Show the version'
complete -c runwatchd -s h -l help -d 'Show the help'
