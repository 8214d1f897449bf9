/** `assay topic config|alter`: the settings of a topic and the number of its partitions. */
import type { TopicAdmin, TopicConfig, TopicConfigEdit } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { aboutTopic } from '../nearest-topic.ts'
import { formatOf, withSettings } from '../options.ts'
import { printFacts, printRows, say } from '../print.ts'
import { collectPairs, wholeNumber, withAdmin } from '../topic-access.ts'

const placeOf: Readonly<Record<TopicConfig['from'], string>> = {
  topic: 'this topic',
  broker: 'the broker',
  'all brokers': 'all brokers',
  start: 'the start of the broker',
  default: 'default'
}

export function topicConfigCommand(): Command {
  const command = new Command('config')
    .description('what is set for a topic')
    .argument('<topic>')
    .argument('[settings...]', 'names of settings; without any, those that somebody has set')
    .option('--all', 'every setting as it is in force', false)
    .option('--explain', 'what each is for', false)
  return withSettings(command).action(async (topic: string, names: string[], options: { all: boolean; explain: boolean }) => {
    await withAdmin(command, async admin => {
      const configs = await aboutTopic(admin, topic, () => admin.configs(topic))
      const unknown = names.find(name => !configs.some(config => config.name === name))
      if (unknown !== undefined) {
        throw new AssayError('INVALID_ARGUMENT', { reason: `${unknown} is no setting of a topic; --all lists them` })
      }
      const wanted = configs.filter(({ name, from }) =>
        names.length > 0 ? names.includes(name) : options.all || from !== 'default'
      )
      const format = formatOf(command)
      if (wanted.length === 0 && format === 'table')
        return say(`Nobody has set anything for ${topic}; --all shows what is in force.`)
      const rows = wanted.map(({ name, value, from, says }) => ({
        setting: name,
        value,
        from: placeOf[from],
        ...(options.explain && { says })
      }))
      printRows(rows, options.explain ? ['setting', 'value', 'from', 'says'] : ['setting', 'value', 'from'], format)
    })
  })
}

interface AlterOptions {
  readonly set: Record<string, string>
  readonly unset: readonly string[]
  readonly add: Record<string, string>
  readonly remove: Record<string, string>
  readonly partitions?: number
  readonly dryRun: boolean
}

export function topicAlterCommand(): Command {
  const collect = (text: string, before: readonly string[]): string[] => [...before, text]
  const command = new Command('alter')
    .description('change the settings of a topic, all that are named or none; give it more partitions')
    .argument('<topic>')
    .option('-c, --set <name=value>', 'give a setting a value (repeatable)', collectPairs('--set'), {})
    .option('--unset <name>', 'take what is set away, so that the default is in force (repeatable)', collect, [])
    .option('--add <name=element>', 'add to a setting that is a list (repeatable)', collectPairs('--add'), {})
    .option('--remove <name=element>', 'take out of a setting that is a list (repeatable)', collectPairs('--remove'), {})
    .option('-p, --partitions <count>', 'number of partitions from now on', wholeNumber('--partitions'))
    .option('--dry-run', 'say whether it could be done, and change nothing', false)
  return withSettings(command).action(async (topic: string, options: AlterOptions) => {
    const edits = editsOf(options)
    if (edits.length === 0 && options.partitions === undefined) {
      throw new AssayError('INVALID_ARGUMENT', {
        reason: 'name what to change, such as --set retention.ms=60000 (--help lists the ways)'
      })
    }
    await withAdmin(command, async admin => {
      await aboutTopic(admin, topic, () => alter(admin, topic, edits, options))
      const changes = edits.map(edit => [edit.name, edit.operation === 'unset' ? null : edit.value])
      const { partitions, dryRun } = options
      const facts = { topic, ...(dryRun && { changed: false }), ...(partitions !== undefined && { partitions }) }
      printFacts({ ...facts, ...Object.fromEntries(changes) }, formatOf(command))
    })
  })
}

/** Both are tried before either is done, so that a mistake in the second leaves nothing half changed. */
async function alter(
  admin: TopicAdmin,
  topic: string,
  edits: readonly TopicConfigEdit[],
  { partitions, dryRun }: AlterOptions
): Promise<void> {
  for (const isTrial of dryRun ? [true] : [true, false]) {
    if (edits.length > 0) await admin.alter(topic, edits, { dryRun: isTrial })
    if (partitions !== undefined) await admin.grow(topic, partitions, { dryRun: isTrial })
  }
}

function editsOf({ set, unset, add, remove }: AlterOptions): TopicConfigEdit[] {
  const pairs = (operation: 'set' | 'add' | 'remove', given: Record<string, string>): TopicConfigEdit[] =>
    Object.entries(given).map(([name, value]) => ({ name, operation, value }))
  return [
    ...pairs('set', set),
    ...unset.map(name => ({ name, operation: 'unset' }) as const),
    ...pairs('add', add),
    ...pairs('remove', remove)
  ]
}
