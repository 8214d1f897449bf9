/** `assay cluster describe|features|log-dirs|config|alter`: the brokers behind the Kafka door, what they can do, hold and are set to. */
import { type ClusterAdmin, clusterAdmin, type TopicConfig, type TopicConfigEdit } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { brokerOf } from '../broker-access.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { line, printFacts, printRows, say, table } from '../print.ts'
import { collectPairs } from '../topic-access.ts'

const placeOf: Readonly<Record<TopicConfig['from'], string>> = {
  topic: 'a topic',
  broker: 'this broker',
  'all brokers': 'all brokers',
  start: 'the start of the broker',
  default: 'default'
}

export function clusterCommand(): Command {
  return new Command('cluster')
    .description('look at brokers, features, log directories; show and change settings of brokers')
    .addCommand(describeCommand())
    .addCommand(featuresCommand())
    .addCommand(logDirsCommand())
    .addCommand(configCommand())
    .addCommand(alterCommand())
}

async function withCluster(command: Command, run: (admin: ClusterAdmin) => Promise<void>): Promise<void> {
  const admin = clusterAdmin(brokerOf(configOf(command)))
  try {
    await run(admin)
  } finally {
    await admin.close()
  }
}

function describeCommand(): Command {
  const command = new Command('describe').description('the cluster and its brokers')
  return withSettings(command).action(async () => {
    await withCluster(command, async admin => {
      const { clusterId, controllerId, brokers } = await admin.describe()
      const format = formatOf(command)
      if (format !== 'table') return printFacts({ clusterId, controllerId, brokers }, format)
      printFacts({ cluster: clusterId, controller: controllerId }, format)
      line('')
      const rows = brokers.map(({ id, host, port, rack }) => ({ broker: id, address: `${host}:${port}`, rack }))
      line(table(rows, ['broker', 'address', 'rack']))
    })
  })
}

function featuresCommand(): Command {
  const command = new Command('features')
    .description('features in force, by which clients choose how to talk')
    .option('--apis', 'the APIs that are served too, with their versions', false)
  return withSettings(command).action(async (options: { apis: boolean }) => {
    await withCluster(command, async admin => {
      const { features, apis } = await admin.features()
      const range = ([min, max]: readonly [number, number]): string => (min === max ? String(min) : `${min}-${max}`)
      const featureRows = features.map(({ name, level, supported }) => ({ feature: name, level, supported: range(supported) }))
      const apiRows = apis.map(({ key, name, versions }) => ({ key, api: name, versions: range(versions) }))
      const format = formatOf(command)
      if (format !== 'table') return printFacts({ features: featureRows, ...(options.apis && { apis: apiRows }) }, format)
      if (featureRows.length === 0) say('No feature is told.')
      printRows(featureRows, ['feature', 'level', 'supported'], format)
      if (options.apis) printRows(apiRows, ['key', 'api', 'versions'], format)
    })
  })
}

function logDirsCommand(): Command {
  const command = new Command('log-dirs')
    .description('what partitions occupy on disk, the largest first, and how much room there is')
    .option('--topic <topic>', 'of this topic alone')
  return withSettings(command).action(async (options: { topic?: string }) => {
    await withCluster(command, async admin => {
      const format = formatOf(command)
      for (const { path, totalBytes, usableBytes, partitions } of await admin.logDirs()) {
        const rows = partitions
          .filter(({ topic }) => options.topic === undefined || topic === options.topic)
          .map(({ topic, partition, bytes }) => ({ topic, partition, bytes: Number(bytes) }))
          .sort((a, b) => b.bytes - a.bytes || (a.topic < b.topic ? -1 : 1) || a.partition - b.partition)
        const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
        const facts = { directory: path, bytes, volumeBytes: asNumber(totalBytes), freeBytes: asNumber(usableBytes) }
        if (format !== 'table') {
          printFacts({ ...facts, partitions: rows }, format)
          continue
        }
        printFacts(facts, format)
        if (rows.length === 0) continue
        line('')
        printRows(rows, ['topic', 'partition', 'bytes'], format)
      }
    })
  })
}

const asNumber = (bytes: bigint | undefined): number | null => (bytes === undefined ? null : Number(bytes))

const BROKER_OPTION = ['--broker <id>', 'of this broker; without it, of the one that is asked'] as const

function configCommand(): Command {
  const command = new Command('config')
    .description('what a broker is set to')
    .argument('[settings...]', 'names of settings; without any, those that somebody has set')
    .option(...BROKER_OPTION)
    .option('--all', 'every setting as it is in force', false)
    .option('--explain', 'what each is for', false)
  return withSettings(command).action(async (names: string[], options: { broker?: string; all: boolean; explain: boolean }) => {
    await withCluster(command, async admin => {
      const configs = await admin.configs(options.broker)
      const unknown = names.find(name => !configs.some(config => config.name === name))
      if (unknown !== undefined) {
        throw new AssayError('INVALID_ARGUMENT', { reason: `${unknown} is no setting of a broker; --all lists them` })
      }
      const wanted = configs.filter(({ name, from }) =>
        names.length > 0 ? names.includes(name) : options.all || from !== 'default'
      )
      const format = formatOf(command)
      if (wanted.length === 0 && format === 'table') return say('Nobody has set anything; --all shows what is in force.')
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
  readonly broker?: string
  readonly dryRun: boolean
}

function alterCommand(): Command {
  const collect = (text: string, before: readonly string[]): string[] => [...before, text]
  const command = new Command('alter')
    .description('change settings of all brokers, or of one, all that are named or none; they are in force at once')
    .option('-c, --set <name=value>', 'give a setting a value (repeatable)', collectPairs('--set'), {})
    .option('--unset <name>', 'take what is set away, so that the default is in force (repeatable)', collect, [])
    .option('--broker <id>', 'of this broker; without it, of all')
    .option('--dry-run', 'say whether it could be done, and change nothing', false)
  return withSettings(command).action(async ({ set, unset, broker, dryRun }: AlterOptions) => {
    const edits: TopicConfigEdit[] = [
      ...Object.entries(set).map(([name, value]) => ({ name, operation: 'set' as const, value })),
      ...unset.map(name => ({ name, operation: 'unset' as const }))
    ]
    if (edits.length === 0) {
      throw new AssayError('INVALID_ARGUMENT', {
        reason: 'name what to change, such as --set log.retention.ms=60000 (--help lists the ways)'
      })
    }
    await withCluster(command, async admin => {
      await admin.alter(edits, { ...(broker !== undefined && { brokerId: broker }), dryRun })
      const changes = edits.map(edit => [edit.name, edit.operation === 'unset' ? null : edit.value])
      const facts = { broker: broker ?? 'all', ...(dryRun && { changed: false }) }
      printFacts({ ...facts, ...Object.fromEntries(changes) }, formatOf(command))
    })
  })
}
