/** `assay topic create|list|describe|delete`: topics over the Kafka protocol, of any broker. */
import { type TopicAdmin, topicAdmin } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { configOf, formatOf, withSettings } from '../options.ts'
import { line, printFacts, printRows, say, table } from '../print.ts'

export function topicCommand(): Command {
  return new Command('topic')
    .description('create, list, describe and delete topics')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(describeCommand())
    .addCommand(deleteCommand())
}

function createCommand(): Command {
  const command = new Command('create')
    .description('create a topic')
    .argument('<topic>')
    .option('-p, --partitions <count>', 'number of partitions', wholeNumber('--partitions'), 1)
    .option('-c, --set <name=value>', 'topic setting, such as assay.value.validation=deep (repeatable)', collectSetting, {})
  return withSettings(command).action(async (topic: string, options: { partitions: number; set: Record<string, string> }) => {
    await withAdmin(command, async admin => {
      await admin.create({ name: topic, partitions: options.partitions, configs: options.set })
      printFacts({ topic, partitions: options.partitions, ...options.set }, formatOf(command))
    })
  })
}

function listCommand(): Command {
  const command = new Command('list').description('list topics').option('--internal', 'topics of the broker itself too', false)
  return withSettings(command).action(async (options: { internal: boolean }) => {
    await withAdmin(command, async admin => {
      const topics = await admin.list(options)
      if (topics.length === 0 && formatOf(command) === 'table') say('There is no topic.')
      printRows(
        topics.map(topic => ({ topic: topic.name, partitions: topic.partitions })),
        ['topic', 'partitions'],
        formatOf(command)
      )
    })
  })
}

function describeCommand(): Command {
  const command = new Command('describe').description('partitions, offsets and settings of a topic').argument('<topic>')
  return withSettings(command).action(async (name: string) => {
    await withAdmin(command, async admin => {
      const topic = await admin.describe(name)
      const partitions = topic.records.map(({ partition, startOffset, endOffset }) => ({
        partition,
        start: Number(startOffset),
        end: Number(endOffset)
      }))
      const format = formatOf(command)
      if (format !== 'table') return printFacts({ topic: name, id: topic.id, partitions, configs: topic.configs }, format)
      printFacts({ topic: name, id: topic.id }, format)
      line('')
      printRows(partitions, ['partition', 'start', 'end'], format)
      line('')
      const rows = topic.configs.map(config => ({
        setting: config.name,
        value: config.value,
        set: config.isDefault ? '' : 'for this topic'
      }))
      line(table(rows, ['setting', 'value', 'set']))
    })
  })
}

function deleteCommand(): Command {
  const command = new Command('delete').description('delete a topic and its records').argument('<topic>')
  return withSettings(command).action(async (topic: string) => {
    await withAdmin(command, async admin => {
      await admin.delete(topic)
      printFacts({ deleted: topic }, formatOf(command))
    })
  })
}

async function withAdmin(command: Command, run: (admin: TopicAdmin) => Promise<void>): Promise<void> {
  const { bootstrap, timeoutMs } = configOf(command)
  const admin = topicAdmin({ bootstrap, timeoutMs })
  try {
    await run(admin)
  } finally {
    await admin.close()
  }
}

/** An option's parser for a whole number from 1 up. */
export function wholeNumber(flag: string): (text: string) => number {
  return text => {
    const value = Number(text)
    if (Number.isSafeInteger(value) && value > 0) return value
    throw new AssayError('INVALID_ARGUMENT', { reason: `${flag} = ${text}: expected a whole number from 1 up` })
  }
}

function collectSetting(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1)
    throw new AssayError('INVALID_ARGUMENT', { reason: `--set ${text}: expected name=value, such as retention.ms=60000` })
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
