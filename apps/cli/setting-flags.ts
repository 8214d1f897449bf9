/** How the verbs show and change settings that a broker keeps, of topics, groups and brokers: one table, the same flags. */
import type { Config, ConfigEdit } from '@assay/client'
import { AssayError } from '@assay/errors'
import type { Command } from 'commander'
import { formatOf } from './options.ts'
import { printRows, say } from './print.ts'
import { collectPairs } from './topic-access.ts'

const placeOf: Readonly<Record<Config['from'], string>> = {
  topic: 'this topic',
  group: 'this group',
  broker: 'this broker',
  'all brokers': 'all brokers',
  start: 'the start of the broker',
  default: 'default'
}

export interface ShowOptions {
  readonly all: boolean
  readonly explain: boolean
}

/** The arguments and flags of a verb that shows settings. */
export const showFlags = (command: Command): Command =>
  command
    .argument('[settings...]', 'names of settings; without any, those that somebody has set')
    .option('--all', 'every setting as it is in force', false)
    .option('--explain', 'what each is for', false)

/** `of` is what they are settings of, as in `a topic`. Fails with INVALID_ARGUMENT for a name that is none of them. */
export function printConfigs(
  command: Command,
  configs: readonly Config[],
  { names, options, of, unset }: { readonly names: readonly string[]; options: ShowOptions; of: string; unset: string }
): void {
  const unknown = names.find(name => !configs.some(config => config.name === name))
  if (unknown !== undefined) {
    throw new AssayError('INVALID_ARGUMENT', { reason: `${unknown} is no setting of ${of}; --all lists them` })
  }
  const wanted = configs.filter(({ name, from }) => (names.length > 0 ? names.includes(name) : options.all || from !== 'default'))
  const format = formatOf(command)
  if (wanted.length === 0 && format === 'table') say(`${unset}; --all shows what is in force.`)
  const rows = wanted.map(({ name, value, from, says }) => ({
    setting: name,
    value,
    from: placeOf[from],
    ...(options.explain && { says })
  }))
  printRows(rows, options.explain ? ['setting', 'value', 'from', 'says'] : ['setting', 'value', 'from'], format)
}

export interface ChangeOptions {
  readonly set: Record<string, string>
  readonly unset: readonly string[]
  readonly dryRun: boolean
}

/** The flags of a verb that changes settings. */
export const changeFlags = (command: Command): Command =>
  command
    .option('-c, --set <name=value>', 'give a setting a value (repeatable)', collectPairs('--set'), {})
    .option('--unset <name>', 'take what is set away, so that the default is in force (repeatable)', collect, [])
    .option('--dry-run', 'say whether it could be done, and change nothing', false)

const collect = (text: string, before: readonly string[]): string[] => [...before, text]

export function editsOf({ set, unset }: ChangeOptions): ConfigEdit[] {
  return [
    ...Object.entries(set).map(([name, value]) => ({ name, operation: 'set', value }) as const),
    ...unset.map(name => ({ name, operation: 'unset' }) as const)
  ]
}

/** Fails with INVALID_ARGUMENT; `example` is a change that could have been asked for. */
export function refuseNothing(edits: readonly ConfigEdit[], example: string): void {
  if (edits.length > 0) return
  throw new AssayError('INVALID_ARGUMENT', { reason: `name what to change, such as ${example} (--help lists the ways)` })
}

/** What was changed, as facts to print. */
export const changedFacts = (edits: readonly ConfigEdit[]): Record<string, string | null> =>
  Object.fromEntries(edits.map(edit => [edit.name, edit.operation === 'unset' ? null : edit.value]))
