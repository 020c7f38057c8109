# Completion of wxpay in fish: the program itself says what can follow.
function __wxpay_complete
    set -l program (commandline -opc)[1]
    # A function is no program.
    command -q -- $program; or set program @PROGRAM@
    env _WXPAY_COMPLETE=fish $program (commandline -cp | string collect) 2>/dev/null
end
complete -c wxpay -f -k -a '(__wxpay_complete)'
