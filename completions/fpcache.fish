function __fpcache_should_offer_completions_for_flags_or_options -a expected_commands
    set -l non_repeating_flags_or_options $argv[2..]
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __fpcache_parse_tokens
    test "$commands" = "$expected_commands"; and return $non_repeating_flags_or_options_absent
end

function __fpcache_should_offer_completions_for_positional -a expected_commands positional_index_comparison expected_positional_index
    set -l non_repeating_flags_or_options
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __fpcache_parse_tokens
    test "$commands" = "$expected_commands" -a \( "$positional_index" "$positional_index_comparison" "$expected_positional_index" \)
end

function __fpcache_parse_tokens -S
    set -l unparsed_tokens (__fpcache_tokens -pc)
    switch $unparsed_tokens[1]
    case 'fpcache'
        __fpcache_parse_subcommand 0 'version' 'h/help'
        switch $unparsed_tokens[1]
        case 'listen'
            __fpcache_parse_subcommand 0 'once' 'settle=' 'poll-interval=' 'recheck-interval=' 'scrub-interval=' 'state-dir=' 'status-file=' 'metrics-file=' 'events=' 'node=' 'print-schema' 'format=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'clear-date'
            __fpcache_parse_subcommand -r 1 'branch=+' 'news' 'require-match' 'y/yes' '0/null' 'format=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'clear-port'
            __fpcache_parse_subcommand -r 1 'no-category' 'branch=+' 'news' 'require-match' 'y/yes' '0/null' 'format=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'clear-news'
            __fpcache_parse_subcommand 0 'format=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'clear'
            __fpcache_parse_subcommand -r 2 'all' 'fields=' 'separator=' 'require-match' 'y/yes' '0/null' 'format=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'prune'
            __fpcache_parse_subcommand -r 1 'max-bytes=' 'max-files=' 'older-than=' 'by=' 'y/yes' 'format=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'stats'
            __fpcache_parse_subcommand 0 'format=' 'group-by=' 'top=' 'older-than=' 'watch=' 'status-file=' 'no-database' 'queues' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'verify'
            __fpcache_parse_subcommand 0 'format=' 'only=' 'skip=' 'fix' 'no-database' 'stale-after=' 'max-backlog=' 'max-wait=' 'as-user=' 't/timeout=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'status'
            __fpcache_parse_subcommand 0 'format=' 'max-backlog=' 'max-wait=' 'w/warning=' 'c/critical=' 't/timeout=' 'watch=' 'status-file=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'sql'
            __fpcache_parse_subcommand 0 'role=' 'schema=' 'config=' 'cache-dir=' 'any-cache-dir' 'cross-mounts' 'dsn=' 'n/dry-run' 'q/quiet' 'v/verbose' 'log=' 'log-format=' 'color=' 'version' 'h/help'
        case 'help'
            __fpcache_parse_subcommand -r 1 'version'
        end
    end
end

function __fpcache_tokens
    if test (string split -m 1 -f 1 -- . "$FISH_VERSION") -gt 3
        commandline --tokens-raw $argv
    else
        commandline -o $argv
    end
end

function __fpcache_parse_subcommand -S -a positional_count
    argparse -s r -- $argv
    set -l option_specs $argv[2..]
    set -l is_repeating_positional $_flag_r
    set -el _flag_r
    set -a commands $unparsed_tokens[1]
    set positional_index 0
    while true
        set -e unparsed_tokens[1]
        argparse -sn "$commands" $option_specs -- $unparsed_tokens 2> /dev/null
        set unparsed_tokens $argv
        set positional_index (math $positional_index + 1)
        for non_repeating_flag_or_option in $non_repeating_flags_or_options
            if set -ql "_flag_$(string replace -a - _ -- $non_repeating_flag_or_option)"
                set non_repeating_flags_or_options_absent 1
                break
            end
        end
        test (count $unparsed_tokens) -eq 0 -o \( -z "$is_repeating_positional" -a "$positional_index" -gt "$positional_count" \) && break
    end
end

function __fpcache_complete_directories
    set -l token (commandline -t)
    string match -- '*/' $token
    set -l subdirs $token*/
    printf %s\n $subdirs
end

function __fpcache_custom_completion
    set -x SAP_SHELL fish
    set -x SAP_SHELL_VERSION $FISH_VERSION
    set -l tokens (__fpcache_tokens -p)
    if test -z "$(__fpcache_tokens -t)"
        set -l index (count (__fpcache_tokens -pc))
        set tokens $tokens[..$index] \'\' $tokens[(math $index + 1)..]
    end
    command $tokens[1] $argv $tokens
end

complete -c 'fpcache' -f
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'listen' -d 'Clear pages when the database announces a change.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'clear-date' -d 'Delete the daily pages of dates.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'clear-port' -d 'Delete the pages of ports, and of their categories.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'clear-news' -d 'Empty the news family: feeds and the front page.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'clear' -d 'Delete the pages of any family, by its fields.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'prune' -d 'Delete the oldest pages of families until a bound holds.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'stats' -d 'Count the pages of the tree and the rows of the queues.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'verify' -d 'Audit the tree; change nothing without --fix.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'status' -d 'Say whether it is well: queues, listener, nodes.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'sql' -d 'Print the SQL that the configuration needs.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" once' -l 'once' -d 'Drain all queues, then exit; for cron.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" settle' -l 'settle' -d 'Clear each key again after this many seconds; 0 disables (default: 5).' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" poll-interval' -l 'poll-interval' -d 'Drain all queues at least this often, in seconds (default: 60).' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" recheck-interval' -l 'recheck-interval' -d 'Ask the queries of [verify] for changes this often, in seconds; 0 disables (default: 60).' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" scrub-interval' -l 'scrub-interval' -d 'Compare the whole tree with the queries of [verify] this often, in seconds; 0 disables it (default: 86400).' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" state-dir' -l 'state-dir' -d 'Folder for the list of keys to clear again, which survives a crash.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" status-file' -l 'status-file' -d 'Keep the listener\'s status here, as JSON.' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" metrics-file' -l 'metrics-file' -d 'Keep the listener\'s metrics here, for Prometheus.' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" events' -l 'events' -d 'Append a line of JSON for each cleared key to this file.' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" node' -l 'node' -d 'Share the queues with other nodes, under this name.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" print-schema' -l 'print-schema' -d 'Print the SQL that --node needs, for the owner of the tables to run, and exit.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" format' -l 'format' -d 'How to print the result of --once.' -rfka 'text json'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache listen" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date"' -l 'branch' -d 'Only pages of this branch: head, or a quarter such as 2020Q1. May be given again.' -rfka '(__fpcache_custom_completion ---completion clear-date -- --branch (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" news' -l 'news' -d 'Empty the news family too, as the listener does.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" require-match' -l 'require-match' -d 'Exit with status 3 if a key matches nothing.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" y yes' -l 'yes' -s 'y' -d 'Do not ask before a big purge.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" 0 null' -s '0' -l 'null' -d 'Keys on standard input end with NUL.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" format' -l 'format' -d 'How to print the result.' -rfka 'text json'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache clear-date" -ge 1' -fka '(__fpcache_custom_completion ---completion clear-date -- positional@0 (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-date" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" no-category' -l 'no-category' -d 'Keep the category\'s own pages.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port"' -l 'branch' -d 'Only pages of this branch: head, or a quarter such as 2020Q1. May be given again.' -rfka '(__fpcache_custom_completion ---completion clear-port -- --branch (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" news' -l 'news' -d 'Empty the news family too, as the listener does.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" require-match' -l 'require-match' -d 'Exit with status 3 if a key matches nothing.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" y yes' -l 'yes' -s 'y' -d 'Do not ask before a big purge.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" 0 null' -s '0' -l 'null' -d 'Keys on standard input end with NUL.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" format' -l 'format' -d 'How to print the result.' -rfka 'text json'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache clear-port" -ge 1' -fka '(__fpcache_custom_completion ---completion clear-port -- positional@0 (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-port" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" format' -l 'format' -d 'How to print the result.' -rfka 'text json'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear-news" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" all' -l 'all' -d 'Clear every family that an invalidation may clear.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" fields' -l 'fields' -d 'With -: the fields whose values each line holds, with commas between.' -rfka '(__fpcache_custom_completion ---completion clear -- --fields (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" separator' -l 'separator' -d 'With --fields: the character between two values of a line (default: a tab).' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" require-match' -l 'require-match' -d 'Exit with status 3 if a key matches nothing.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" y yes' -l 'yes' -s 'y' -d 'Do not ask before a big purge.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" 0 null' -s '0' -l 'null' -d 'Keys on standard input end with NUL.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" format' -l 'format' -d 'How to print the result.' -rfka 'text json'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache clear" -eq 1' -fka '(__fpcache_custom_completion ---completion clear -- positional@0 (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache clear" -ge 2' -fka '(__fpcache_custom_completion ---completion clear -- positional@1 (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache clear" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" max-bytes' -l 'max-bytes' -d 'Keep so many bytes at most: a number, or one with k, M, G or T (powers of 1,000).' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" max-files' -l 'max-files' -d 'Keep so many pages at most.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" older-than' -l 'older-than' -d 'Keep no page older than this, such as 90d.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" by' -l 'by' -d 'What the age goes by: the last write, or the last read or write.' -rfka 'mtime atime'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" y yes' -l 'yes' -s 'y' -d 'Do not ask first; a script is never asked.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" format' -l 'format' -d 'How to print the result.' -rfka 'text json'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_positional "fpcache prune" -ge 1' -fka '(__fpcache_custom_completion ---completion prune -- positional@0 (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache prune" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" format' -l 'format' -d 'How to print the result.' -rfka 'text json prometheus'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" group-by' -l 'group-by' -d 'Count by a field of the layout, such as category, branch or year.' -rfka '(__fpcache_custom_completion ---completion stats -- --group-by (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" top' -l 'top' -d 'List this many groups and largest files.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" older-than' -l 'older-than' -d 'Count only files older than this, such as 90d.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" watch' -l 'watch' -d 'Refresh this often and show rates a second; Ctrl-C ends it.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" status-file' -l 'status-file' -d 'The listener\'s status file.' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" no-database' -l 'no-database' -d 'Do not read the queues.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" queues' -l 'queues' -d 'Show only the queues.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache stats" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" format' -l 'format' -d 'How to print the result.' -rfka 'text json nagios'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" only' -l 'only' -d 'Check only these codes.' -rfka '(__fpcache_custom_completion ---completion verify -- --only (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" skip' -l 'skip' -d 'Skip these codes.' -rfka '(__fpcache_custom_completion ---completion verify -- --skip (count (__fpcache_tokens -pc)) (__fpcache_tokens -tC))'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" fix' -l 'fix' -d 'Remove what is safe to remove.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" no-database' -l 'no-database' -d 'Do not ask the database.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" stale-after' -l 'stale-after' -d 'Report pages older than this, such as 365d.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" max-backlog' -l 'max-backlog' -d 'Report a queue with more rows than this.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" max-wait' -l 'max-wait' -d 'Report a queue whose oldest row has waited longer than this, such as 10m.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" as-user' -l 'as-user' -d 'Check permissions as this user.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" t timeout' -s 't' -l 'timeout' -d 'With --format nagios: answer UNKNOWN after this time, whatever hangs.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache verify" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" format' -l 'format' -d 'How to print the result.' -rfka 'text json nagios prometheus'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" max-backlog' -l 'max-backlog' -d 'Status 2 if a queue has more rows than this.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" max-wait' -l 'max-wait' -d 'Status 2 if a row has waited longer than this, such as 10m.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" w warning' -s 'w' -l 'warning' -d 'Status 1 if the age of a queue\'s oldest row, in seconds, raises an alert by this range; after a comma, the same for its number of rows.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" c critical' -s 'c' -l 'critical' -d 'The same for status 2.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" t timeout' -s 't' -l 'timeout' -d 'Answer after this time, whatever hangs: status 3.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" watch' -l 'watch' -d 'Look again this often and draw what changes; Ctrl-C ends it.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" status-file' -l 'status-file' -d 'The listener\'s status file.' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache status" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" role' -l 'role' -d 'The listener\'s role; else DBUSER of the configuration, else listening.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" schema' -l 'schema' -d 'The schema of tables that are named without one.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" config' -l 'config' -d 'Configuration file (fp-listen.ini).' -rF
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" cache-dir' -l 'cache-dir' -d 'The cache directory.' -rfa '(__fpcache_complete_directories)'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" any-cache-dir' -l 'any-cache-dir' -d 'Accept any folder as the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" cross-mounts' -l 'cross-mounts' -d 'Enter file systems that are mounted anywhere inside the cache directory.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" dsn' -l 'dsn' -d 'How to reach the database: a libpq string or URI.' -rfka ''
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" dry-run n' -s 'n' -l 'dry-run' -d 'Change nothing; print what would be done.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" q quiet' -l 'quiet' -s 'q' -d 'Print errors only.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" v verbose' -l 'verbose' -s 'v' -d 'Print more: each path, each step.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" log' -l 'log' -d 'Where messages go.' -rfka 'stderr syslog'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" log-format' -l 'log-format' -d 'The form of messages on standard error.' -rfka 'text json journal'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" color' -l 'color' -d 'When to use colour.' -rfka 'auto always never'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" version' -l 'version' -d 'Show the version.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache sql" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'fpcache' -n '__fpcache_should_offer_completions_for_flags_or_options "fpcache help" version' -l 'version' -d 'Show the version.'
