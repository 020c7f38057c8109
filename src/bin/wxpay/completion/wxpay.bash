# Completion of wxpay in bash: the program itself says what can follow.
_wxpay() {
    local program=$1 line=${COMP_LINE:0:${COMP_POINT:-0}} candidate
    # An alias or a function is no program.
    type -P -- "$program" >/dev/null || program=@PROGRAM@
    if [[ -z $line ]]; then
        local IFS=$'\n'
        line="${COMP_WORDS[*]:0:COMP_CWORD}"$'\n'"$2"
    fi
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(_WXPAY_COMPLETE=bash "$program" "$line" "$2" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:\[] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
if [[ ${BASH_VERSINFO[0]} -gt 4 || ${BASH_VERSINFO[0]} -eq 4 && ${BASH_VERSINFO[1]} -ge 4 ]]; then
    complete -o nosort -o bashdefault -F _wxpay wxpay
else
    complete -o bashdefault -F _wxpay wxpay
fi
