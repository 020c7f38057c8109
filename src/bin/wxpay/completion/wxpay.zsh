#compdef wxpay
# Completion of wxpay in zsh: the program itself says what can follow.
_wxpay() {
    local program=@PROGRAM@ typed=${~words[1]} candidate value help suffix
    # An alias or a function is no program.
    if [[ $typed == */* && -x $typed ]]; then
        program=$typed
    elif (( $+commands[$typed] )); then
        program=$commands[$typed]
    fi
    local line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$IPREFIX$PREFIX"
    local -a candidates=("${(@f)$(_WXPAY_COMPLETE=zsh "$program" "$line" 2>/dev/null)}") shown
    local -i width=0
    for candidate in $candidates; do
        value=${candidate%%$'\t'*}
        (( ${#value} > width && ${#value} < 60 )) && width=${#value}
    done
    for candidate in $candidates; do
        value=${candidate%%$'\t'*} help=${candidate#*$'\t'} suffix=' '
        [[ $value == *[=/:\[] ]] && suffix=
        shown=("$value")
        [[ -n $help ]] && shown=("${(r:width:)value}  -- $help")
        compadd -V wxpay -S "$suffix" -l -d shown -- "$value"
    done
}
if [[ $funcstack[1] == _wxpay ]]; then
    _wxpay "$@"
else
    compdef _wxpay wxpay
fi
