#include "app/completion.h"

namespace shutdown_auditor::app {
namespace {

// Every script asks `PROGRAM __complete WORD…`, where PROGRAM is the name that was typed.
constexpr std::string_view kBash = R"script(# bash completion for shutdown-auditor: source <(shutdown-auditor completion bash)
_shutdown_auditor() {
  local cur=${COMP_WORDS[COMP_CWORD]} word line files=0 i
  local -a words=()
  # bash splits --flag=value at the equals sign
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((${#words[@]} > 0)) && [[ $word == = || ${COMP_WORDS[i - 1]} == = ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
  done
  word=${words[${#words[@]} - 1]}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :0) files=1 ;;
      :*) ;;
      *)
        line=${line%%$'\t'*}
        [[ $word == --*=* && $COMP_WORDBREAKS == *=* ]] && line=${line#*=}
        COMPREPLY+=("$line")
        ;;
    esac
  done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete "${words[@]}" 2>/dev/null)
  if ((files)); then
    [[ $cur == = ]] && cur=
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
  fi
  return 0
}
complete -F _shutdown_auditor shutdown-auditor kubectl-shutdownaudit
)script";

constexpr std::string_view kZsh = R"script(#compdef shutdown-auditor kubectl-shutdownaudit
# zsh completion for shutdown-auditor: source <(shutdown-auditor completion zsh), or a file _shutdown-auditor in fpath
_shutdown-auditor() {
  local line files=0
  local -a candidates
  for line in "${(@f)$(${~words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :0) files=1 ;;
      :*) ;;
      *$'\t'*) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      ?*) candidates+=("${line//:/\\:}") ;;
    esac
  done
  (( ${#candidates} )) && _describe -t values 'shutdown-auditor' candidates
  if (( files )); then
    [[ ${words[CURRENT]} == --*=* ]] && compset -P '*='
    _files
  fi
}
if [[ ${funcstack[1]} == _shutdown-auditor ]]; then
  _shutdown-auditor "$@"
else
  compdef _shutdown-auditor shutdown-auditor kubectl-shutdownaudit
fi
)script";

constexpr std::string_view kFish = R"script(# fish completion for shutdown-auditor: shutdown-auditor completion fish | source
function __shutdown_auditor_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':0'
                set -l prefix (string match -r -- '^--[^=]*=' $current)
                __fish_complete_path (string replace -r -- '^--[^=]*=' '' $current) | string replace -r -- '^' "$prefix"
            case ':*'
            case '*'
                echo $line
        end
    end
end
for name in shutdown-auditor kubectl-shutdownaudit
    complete -c $name -e
    complete -c $name -f -a '(__shutdown_auditor_complete)'
end
)script";

constexpr std::string_view kPowerShell = R"script(# PowerShell 7.3 completion for shutdown-auditor:
#   shutdown-auditor completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'shutdown-auditor', 'kubectl-shutdownaudit' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition } |
        ForEach-Object { "$_" })
    $before = @($words | Select-Object -Skip 1)
    if ($wordToComplete -eq '') { $before += '' }
    & $words[0] __complete @before 2>$null | Where-Object { $_ -notmatch '^:' } | ForEach-Object {
        $text, $help = $_ -split "`t", 2
        if (-not $help) { $help = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $help)
    }
}
)script";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  return shell == "bash"         ? kBash
         : shell == "zsh"        ? kZsh
         : shell == "fish"       ? kFish
         : shell == "powershell" ? kPowerShell
                                 : std::string_view();
}

}  // namespace shutdown_auditor::app
