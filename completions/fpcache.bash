# bash completion for fpcache
# shellcheck shell=bash

__fpcache_cursor_index_in_current_word() {
    local remaining="${COMP_LINE}"

    local word
    for word in "${COMP_WORDS[@]::COMP_CWORD}"; do
        remaining="${remaining##*([[:space:]])"${word}"*([[:space:]])}"
    done

    local -ir index="$((COMP_POINT - ${#COMP_LINE} + ${#remaining}))"
    if [[ "${index}" -le 0 ]]; then
        printf 0
    else
        printf %s "${index}"
    fi
}

# positional arguments:
#
# - 1: the current (sub)command's count of positional arguments
#
# required variables:
#
# - repeating_flags: the repeating flags that the current (sub)command can accept
# - non_repeating_flags: the non-repeating flags that the current (sub)command can accept
# - repeating_options: the repeating options that the current (sub)command can accept
# - non_repeating_options: the non-repeating options that the current (sub)command can accept
# - positional_number: value ignored
# - unparsed_words: unparsed words from the current command line
#
# modified variables:
#
# - non_repeating_flags: remove flags for this (sub)command that are already on the command line
# - non_repeating_options: remove options for this (sub)command that are already on the command line
# - positional_number: set to the current positional number
# - unparsed_words: remove all flags, options, and option values for this (sub)command
__fpcache_offer_flags_options() {
    local -ir positional_count="${1}"
    positional_number=0

    local was_flag_option_terminator_seen=false
    local is_parsing_option_value=false

    local -ar unparsed_word_indices=("${!unparsed_words[@]}")
    local -i word_index
    for word_index in "${unparsed_word_indices[@]}"; do
        if "${is_parsing_option_value}"; then
            # This word is an option value:
            # Reset marker for next word iff not currently the last word
            [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]] && is_parsing_option_value=false
            unset "unparsed_words[${word_index}]"
            # Do not process this word as a flag or an option
            continue
        fi

        local word="${unparsed_words["${word_index}"]}"
        if ! "${was_flag_option_terminator_seen}"; then
            case "${word}" in
            --)
                unset "unparsed_words[${word_index}]"
                # by itself -- is a flag/option terminator, but if it is the last word, it is the start of a completion
                if [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]]; then
                    was_flag_option_terminator_seen=true
                fi
                continue
                ;;
            -*)
                # ${word} is a flag or an option
                # If ${word} is an option, mark that the next word to be parsed is an option value
                local option
                for option in "${repeating_options[@]}" "${non_repeating_options[@]}"; do
                    [[ "${word}" = "${option}" ]] && is_parsing_option_value=true && break
                done

                # Remove ${word} from ${non_repeating_flags} or ${non_repeating_options} so it isn't offered again
                local not_found=true
                local -i index
                for index in "${!non_repeating_flags[@]}"; do
                    if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                        unset "non_repeating_flags[${index}]"
                        non_repeating_flags=("${non_repeating_flags[@]}")
                        not_found=false
                        break
                    fi
                done
                if "${not_found}"; then
                    for index in "${!non_repeating_flags[@]}"; do
                        if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                            unset "non_repeating_flags[${index}]"
                            non_repeating_flags=("${non_repeating_flags[@]}")
                            break
                        fi
                    done
                fi
                unset "unparsed_words[${word_index}]"
                continue
                ;;
            esac
        fi

        # ${word} is neither a flag, nor an option, nor an option value
        if [[ "${positional_number}" -lt "${positional_count}" || "${positional_count}" -lt 0 ]]; then
            # ${word} is a positional
            ((positional_number++))
            unset "unparsed_words[${word_index}]"
        else
            if [[ -z "${word}" ]]; then
                # Could be completing a flag, option, or subcommand
                positional_number=-1
            else
                # ${word} is a subcommand or invalid, so stop processing this (sub)command
                positional_number=-2
            fi
            break
        fi
    done

    unparsed_words=("${unparsed_words[@]}")

    if\
        ! "${was_flag_option_terminator_seen}"\
        && ! "${is_parsing_option_value}"\
        && [[ ("${cur}" = -* && "${positional_number}" -ge 0) || "${positional_number}" -eq -1 ]]
    then
        COMPREPLY+=($(compgen -W "${repeating_flags[*]} ${non_repeating_flags[*]} ${repeating_options[*]} ${non_repeating_options[*]}" -- "${cur}"))
    fi
}

__fpcache_add_completions() {
    case "${1}" in -f|-d) compopt -o filenames 2>/dev/null ;; esac
    local completion
    while IFS='' read -r completion; do
        COMPREPLY+=("${completion}")
        case "${completion}" in *=) compopt -o nospace 2>/dev/null ;; esac
    done < <(IFS=$'\n' compgen "${@}" -- "${cur}")
}

__fpcache_custom_complete() {
    if [[ -n "${cur}" || -z ${COMP_WORDS[${COMP_CWORD}]} || "${COMP_LINE:${COMP_POINT}:1}" != ' ' ]]; then
        local -ar words=("${COMP_WORDS[@]}")
    else
        local -ar words=("${COMP_WORDS[@]::${COMP_CWORD}}" '' "${COMP_WORDS[@]:${COMP_CWORD}}")
    fi

    "${COMP_WORDS[0]}" "${@}" "${words[@]}"
}

_fpcache() {
    local state
    state="$(shopt -p;shopt -po)"
    trap "${state//$'\n'/;}" RETURN
    shopt -s extglob
    set +o history +o posix

    local -xr SAP_SHELL=bash
    local -x SAP_SHELL_VERSION
    SAP_SHELL_VERSION="$(IFS='.';printf %s "${BASH_VERSINFO[*]}")"
    local -r SAP_SHELL_VERSION

    local cur="${2}"
    local prev="${3}"

    local -i positional_number
    local -a unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")

    # --option=value arrives as three words
    [[ "${cur}" = "=" ]] && cur=""
    [[ "${prev}" = "=" && "${COMP_CWORD}" -gt 1 ]] && prev="${COMP_WORDS[COMP_CWORD-2]}"
    local -i equals_index
    for equals_index in "${!unparsed_words[@]}"; do
        if [[ "${unparsed_words[equals_index]}" = "=" ]]; then
            if [[ "${equals_index}" -eq "$((COMP_CWORD - 1))" ]]; then
                unparsed_words[equals_index]=""
            else
                unset "unparsed_words[${equals_index}]"
            fi
        fi
    done
    unparsed_words=("${unparsed_words[@]}")

    local -a repeating_flags=()
    local -a non_repeating_flags=(--version -h --help)
    local -a repeating_options=()
    local -a non_repeating_options=()
    __fpcache_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    listen|clear-date|clear-port|clear-news|clear|prune|stats|verify|status|sql|help)
        # Offer subcommand argument completions
        "_fpcache_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'listen clear-date clear-port clear-news clear prune stats verify status sql help' -- "${cur}"))
        ;;
    esac
}

_fpcache_listen() {
    repeating_flags=()
    non_repeating_flags=(--once --print-schema --any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=()
    non_repeating_options=(--settle --poll-interval --recheck-interval --scrub-interval --state-dir --status-file --metrics-file --events --node --format --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--settle')
        return
        ;;
    '--poll-interval')
        return
        ;;
    '--recheck-interval')
        return
        ;;
    '--scrub-interval')
        return
        ;;
    '--state-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--status-file')
        __fpcache_add_completions -f
        return
        ;;
    '--metrics-file')
        __fpcache_add_completions -f
        return
        ;;
    '--events')
        __fpcache_add_completions -f
        return
        ;;
    '--node')
        return
        ;;
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac
}

_fpcache_clear-date() {
    repeating_flags=()
    non_repeating_flags=(--news --require-match --yes -y -0 --null --any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=(--branch)
    non_repeating_options=(--format --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--branch')
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion clear-date -- --branch "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion clear-date -- positional@0 "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_fpcache_clear-port() {
    repeating_flags=()
    non_repeating_flags=(--no-category --news --require-match --yes -y -0 --null --any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=(--branch)
    non_repeating_options=(--format --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--branch')
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion clear-port -- --branch "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion clear-port -- positional@0 "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_fpcache_clear-news() {
    repeating_flags=()
    non_repeating_flags=(--any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=()
    non_repeating_options=(--format --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac
}

_fpcache_clear() {
    repeating_flags=()
    non_repeating_flags=(--all --require-match --yes -y -0 --null --any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=()
    non_repeating_options=(--fields --separator --format --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--fields')
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion clear -- --fields "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    '--separator')
        return
        ;;
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion clear -- positional@0 "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    *)
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion clear -- positional@1 "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_fpcache_prune() {
    repeating_flags=()
    non_repeating_flags=(--yes -y --any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=()
    non_repeating_options=(--max-bytes --max-files --older-than --by --format --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--max-bytes')
        return
        ;;
    '--max-files')
        return
        ;;
    '--older-than')
        return
        ;;
    '--by')
        __fpcache_add_completions -W 'mtime'$'\n''atime'
        return
        ;;
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion prune -- positional@0 "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_fpcache_stats() {
    repeating_flags=()
    non_repeating_flags=(--no-database --queues --any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=()
    non_repeating_options=(--format --group-by --top --older-than --watch --status-file --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''prometheus'
        return
        ;;
    '--group-by')
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion stats -- --group-by "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    '--top')
        return
        ;;
    '--older-than')
        return
        ;;
    '--watch')
        return
        ;;
    '--status-file')
        __fpcache_add_completions -f
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac
}

_fpcache_verify() {
    repeating_flags=()
    non_repeating_flags=(--fix --no-database --any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=()
    non_repeating_options=(--format --only --skip --stale-after --max-backlog --max-wait --as-user -t --timeout --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''nagios'
        return
        ;;
    '--only')
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion verify -- --only "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    '--skip')
        __fpcache_add_completions -W "$(__fpcache_custom_complete ---completion verify -- --skip "${COMP_CWORD}" "$(__fpcache_cursor_index_in_current_word)")"
        return
        ;;
    '--stale-after')
        return
        ;;
    '--max-backlog')
        return
        ;;
    '--max-wait')
        return
        ;;
    '--as-user')
        return
        ;;
    '-t'|'--timeout')
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac
}

_fpcache_status() {
    repeating_flags=()
    non_repeating_flags=(--any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=()
    non_repeating_options=(--format --max-backlog --max-wait -w --warning -c --critical -t --timeout --watch --status-file --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''nagios'$'\n''prometheus'
        return
        ;;
    '--max-backlog')
        return
        ;;
    '--max-wait')
        return
        ;;
    '-w'|'--warning')
        return
        ;;
    '-c'|'--critical')
        return
        ;;
    '-t'|'--timeout')
        return
        ;;
    '--watch')
        return
        ;;
    '--status-file')
        __fpcache_add_completions -f
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac
}

_fpcache_sql() {
    repeating_flags=()
    non_repeating_flags=(--any-cache-dir --cross-mounts -n --dry-run --quiet -q --verbose -v --version -h --help)
    repeating_options=()
    non_repeating_options=(--role --schema --config --cache-dir --dsn --log --log-format --color)
    __fpcache_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--role')
        return
        ;;
    '--schema')
        return
        ;;
    '--config')
        __fpcache_add_completions -f
        return
        ;;
    '--cache-dir')
        __fpcache_add_completions -d
        return
        ;;
    '--dsn')
        return
        ;;
    '--log')
        __fpcache_add_completions -W 'stderr'$'\n''syslog'
        return
        ;;
    '--log-format')
        __fpcache_add_completions -W 'text'$'\n''json'$'\n''journal'
        return
        ;;
    '--color')
        __fpcache_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    esac
}

_fpcache_help() {
    repeating_flags=()
    non_repeating_flags=(--version)
    repeating_options=()
    non_repeating_options=()
    __fpcache_offer_flags_options -1
}

complete -F _fpcache fpcache
