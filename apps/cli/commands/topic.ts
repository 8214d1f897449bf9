/** `assay topic create|list|describe|config|alter|delete-records|delete`: topics over the Kafka protocol, of any broker. */
import { Command } from 'commander'
import { confirmed } from '../confirm.ts'
import { aboutTopic } from '../nearest-topic.ts'
import { formatOf, withSettings } from '../options.ts'
import { line, printFacts, printRows, say, table } from '../print.ts'
import { collectPairs, wholeNumber, withAdmin } from '../topic-access.ts'
import { topicDeleteRecordsCommand } from './topic-records.ts'
import { topicAlterCommand, topicConfigCommand } from './topic-settings.ts'

export function topicCommand(): Command {
  return new Command('topic')
    .description('create, list, describe, change and delete topics')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(describeCommand())
    .addCommand(topicConfigCommand())
    .addCommand(topicAlterCommand())
    .addCommand(topicDeleteRecordsCommand())
    .addCommand(deleteCommand())
}

function createCommand(): Command {
  const command = new Command('create')
    .description('create a topic')
    .argument('<topic>')
    .option('-p, --partitions <count>', 'number of partitions', wholeNumber('--partitions'), 1)
    .option(
      '-c, --set <name=value>',
      'topic setting, such as assay.value.validation=deep (repeatable)',
      collectPairs('--set'),
      {}
    )
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
      const topic = await aboutTopic(admin, name, () => admin.describe(name))
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
        set: config.from === 'topic' ? 'for this topic' : config.from === 'default' ? '' : `by ${config.from}`
      }))
      line(table(rows, ['setting', 'value', 'set']))
    })
  })
}

function deleteCommand(): Command {
  const command = new Command('delete')
    .description('delete a topic and its records')
    .argument('<topic>')
    .option('--yes', 'do not ask', false)
  return withSettings(command).action(async (topic: string, options: { yes: boolean }) => {
    if (!(await confirmed(`Delete topic ${topic} and its records?`, options))) return
    await withAdmin(command, async admin => {
      await admin.delete(topic)
      printFacts({ deleted: topic }, formatOf(command))
    })
  })
}
