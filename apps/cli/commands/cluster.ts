/** `assay cluster describe|features|log-dirs|config|alter`: the brokers behind the Kafka door, what they can do, hold and are set to. */
import { type ClusterAdmin, clusterAdmin } from '@assay/client'
import { Command } from 'commander'
import { brokerOf } from '../broker-access.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { line, printFacts, printRows, say, table } from '../print.ts'
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
  const command = showFlags(new Command('config').description('what a broker is set to').option(...BROKER_OPTION))
  return withSettings(command).action(async (names: string[], options: ShowOptions & { broker?: string }) => {
    await withCluster(command, async admin => {
      const configs = await admin.configs(options.broker)
      printConfigs(command, configs, { names, options, of: 'a broker', unset: 'Nobody has set anything' })
    })
  })
}

function alterCommand(): Command {
  const command = changeFlags(
    new Command('alter')
      .description('change settings of all brokers, or of one, all that are named or none; they are in force at once')
      .option('--broker <id>', 'of this broker; without it, of all')
  )
  return withSettings(command).action(async (options: ChangeOptions & { broker?: string }) => {
    const { broker, dryRun } = options
    const edits = editsOf(options)
    refuseNothing(edits, '--set log.retention.ms=60000')
    await withCluster(command, async admin => {
      await admin.alter(edits, { ...(broker !== undefined && { brokerId: broker }), dryRun })
      const facts = { broker: broker ?? 'all', ...(dryRun && { changed: false }) }
      printFacts({ ...facts, ...changedFacts(edits) }, formatOf(command))
    })
  })
}
