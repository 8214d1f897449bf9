/** `assay completion SHELL`: a script that completes verbs, flags and the values that a flag can have, printed from the commands themselves. */
import { Argument, Command, type Option } from 'commander'
import { line } from '../print.ts'

interface Words {
  /** Verbs with their sub-verbs: `topic create`. */
  readonly path: string
  readonly verbs: readonly string[]
  readonly options: readonly Option[]
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
  const verbs = command.commands.map(sub => sub.name())
  const options = command.createHelp().visibleOptions(command)
  const nested = command.commands.flatMap(sub => wordsOf(sub, path === '' ? sub.name() : `${path} ${sub.name()}`))
  return [{ path, verbs, options: [...options] }, ...nested]
}

const flagsOf = ({ long, short }: Option): string[] => [short, long].filter(flag => flag !== undefined)

function bash(words: readonly Words[]): string {
  const paths = words.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`)
  const candidates = words.map(
    ({ path, verbs, options }) => `      '${path}') candidates='${[...verbs, ...options.flatMap(flagsOf)].join(' ')}' ;;`
  )
  const values = [...choicesOf(words)].map(([flags, choices]) => `    ${flags}) candidates='${choices.join(' ')}' ;;`)
  return `_assay() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' word candidates=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$previous" in
${values.join('\n')}
    *) case "$path" in
${candidates.join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _assay assay`
}

/** By the flags as a pattern, `-o|--output`; what one flag takes under several verbs together. */
function choicesOf(words: readonly Words[]): Map<string, string[]> {
  const choices = new Map<string, string[]>()
  for (const option of words.flatMap(({ options }) => options)) {
    if (!option.argChoices) continue
    const flags = flagsOf(option).join('|')
    choices.set(flags, [...new Set([...(choices.get(flags) ?? []), ...option.argChoices])])
  }
  return choices
}

function zsh(words: readonly Words[]): string {
  return `#compdef assay\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`
}

function fish(words: readonly Words[]): string {
  const lines = words.flatMap(({ path, verbs, options }) => {
    const seen = path.split(' ').map(word => `__fish_seen_subcommand_from ${word}`)
    const here = path === '' ? ['__fish_use_subcommand'] : seen
    const free = verbs.length > 0 && path !== '' ? [...here, `not __fish_seen_subcommand_from ${verbs.join(' ')}`] : here
    return [
      ...verbs.map(verb => `complete -c assay -f -n '${free.join('; and ')}' -a ${verb}`),
      ...options.map(option => `complete -c assay -n '${here.join('; and ')}' ${fishOption(option)}`)
    ]
  })
  return lines.join('\n')
}

function fishOption({ long, short, argChoices, required }: Option): string {
  const names = [...(short ? [`-s ${short.slice(1)}`] : []), ...(long ? [`-l ${long.slice(2)}`] : [])]
  const value = argChoices ? [`-x -a '${argChoices.join(' ')}'`] : required ? ['-r'] : []
  return [...names, ...value].join(' ')
}
