/** `assay topic config|alter`: the settings of a topic and the number of its partitions. */
import type { ConfigEdit, TopicAdmin } from '@assay/client'
import { Command } from 'commander'
import { aboutTopic } from '../nearest-topic.ts'
import { formatOf, withSettings } from '../options.ts'
import { printFacts } from '../print.ts'
import {
  type ChangeOptions,
  changedFacts,
  changeFlags,
  editsOf,
  printConfigs,
  refuseNothing,
  type ShowOptions,
  showFlags
} from '../setting-flags.ts'
import { collectPairs, wholeNumber, withAdmin } from '../topic-access.ts'

export function topicConfigCommand(): Command {
  const command = showFlags(new Command('config').description('what is set for a topic').argument('<topic>'))
  return withSettings(command).action(async (topic: string, names: string[], options: ShowOptions) => {
    await withAdmin(command, async admin => {
      const configs = await aboutTopic(admin, topic, () => admin.configs(topic))
      printConfigs(command, configs, { names, options, of: 'a topic', unset: `Nobody has set anything for ${topic}` })
    })
  })
}

interface AlterOptions extends ChangeOptions {
  readonly add: Record<string, string>
  readonly remove: Record<string, string>
  readonly partitions?: number
}

export function topicAlterCommand(): Command {
  const command = changeFlags(
    new Command('alter')
      .description('change the settings of a topic, all that are named or none; give it more partitions')
      .argument('<topic>')
  )
    .option('--add <name=element>', 'add to a setting that is a list (repeatable)', collectPairs('--add'), {})
    .option('--remove <name=element>', 'take out of a setting that is a list (repeatable)', collectPairs('--remove'), {})
    .option('-p, --partitions <count>', 'number of partitions from now on', wholeNumber('--partitions'))
  return withSettings(command).action(async (topic: string, options: AlterOptions) => {
    const { partitions, dryRun, add, remove } = options
    const edits = [...editsOf(options), ...elements('add', add), ...elements('remove', remove)]
    if (partitions === undefined) refuseNothing(edits, '--set retention.ms=60000')
    await withAdmin(command, async admin => {
      await aboutTopic(admin, topic, () => alter(admin, topic, edits, options))
      const facts = { topic, ...(dryRun && { changed: false }), ...(partitions !== undefined && { partitions }) }
      printFacts({ ...facts, ...changedFacts(edits) }, formatOf(command))
    })
  })
}

const elements = (operation: 'add' | 'remove', given: Record<string, string>): ConfigEdit[] =>
  Object.entries(given).map(([name, value]) => ({ name, operation, value }))

/** Both are tried before either is done, so that a mistake in the second leaves nothing half changed. */
async function alter(
  admin: TopicAdmin,
  topic: string,
  edits: readonly ConfigEdit[],
  { partitions, dryRun }: AlterOptions
): Promise<void> {
  for (const isTrial of dryRun ? [true] : [true, false]) {
    if (edits.length > 0) await admin.alter(topic, edits, { dryRun: isTrial })
    if (partitions !== undefined) await admin.grow(topic, partitions, { dryRun: isTrial })
  }
}
