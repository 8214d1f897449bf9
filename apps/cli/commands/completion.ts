/** `assay completion SHELL`: a script that completes verbs and flags, printed from the commands themselves. */
import { Argument, Command } from 'commander'
import { line } from '../print.ts'

interface Words {
  /** Verbs with their sub-verbs: `topic create`. */
  readonly path: string
  readonly words: readonly string[]
}

export function completionCommand(): Command {
  return new Command('completion')
    .description('print a completion script: source <(assay completion bash)')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell: string, _options: unknown, command: Command) => {
      const words = wordsOf(command.parent!)
      line(shell === 'fish' ? fish(words) : shell === 'zsh' ? zsh(words) : bash(words))
    })
}

function wordsOf(command: Command, path = ''): Words[] {
  const subcommands = command.commands.map(sub => sub.name())
  const flags = command.options.map(option => option.long).filter(flag => flag !== undefined)
  const nested = command.commands.flatMap(sub => wordsOf(sub, path === '' ? sub.name() : `${path} ${sub.name()}`))
  return [{ path, words: [...subcommands, ...flags, '--help'] }, ...nested]
}

function bash(words: readonly Words[]): string {
  const cases = words.map(({ path, words }) => `    '${path}') candidates='${words.join(' ')}' ;;`)
  return `_assay() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' word candidates=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ "$word" == -* ]] || path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _assay assay`
}

function zsh(words: readonly Words[]): string {
  return `#compdef assay\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`
}

function fish(words: readonly Words[]): string {
  const lines = words.flatMap(({ path, words }) => {
    const condition =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map(word => `__fish_seen_subcommand_from ${word}`)
            .join('; and ')
    return words.map(word =>
      word.startsWith('--')
        ? `complete -c assay -n '${condition}' -l ${word.slice(2)}`
        : `complete -c assay -f -n '${condition}' -a ${word}`
    )
  })
  return lines.join('\n')
}
