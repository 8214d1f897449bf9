/** `assay quota set|remove|list`: how much users and clients may use of the broker in a second: bytes, time of its thread, partitions. */
import { type QuotaAdmin, type QuotaEntity, quotaAdmin } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { brokerOf } from '../broker-access.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printFacts, printRows, say } from '../print.ts'
import { wholeNumber } from '../topic-access.ts'

export function quotaCommand(): Command {
  return new Command('quota')
    .description('set, remove and list how much users and clients may send, read and ask for; who wants more waits')
    .addCommand(setCommand())
    .addCommand(removeCommand())
    .addCommand(listCommand())
}

/** How the names of the flags are called by Kafka. */
const kafkaNames = {
  produce: 'producer_byte_rate',
  consume: 'consumer_byte_rate',
  requests: 'request_percentage',
  mutations: 'controller_mutation_rate'
} as const
type Kind = keyof typeof kafkaNames
const kinds = Object.keys(kafkaNames) as Kind[]

interface EntityOptions {
  readonly user?: string
  readonly client?: string
  readonly everyUser: boolean
  readonly everyClient: boolean
}

function entityOptions(command: Command): Command {
  return command
    .option('--user <name>', 'of this user')
    .option('--every-user', 'of each user who has none of his own', false)
    .option('--client <id>', 'of this client ID, or of this client of the user')
    .option('--every-client', 'of each client that has none of its own', false)
}

function entityOf({ user, client, everyUser, everyClient }: EntityOptions): QuotaEntity {
  if (user !== undefined && everyUser) throw invalid('--user and --every-user: give one of them')
  if (client !== undefined && everyClient) throw invalid('--client and --every-client: give one of them')
  const entity = {
    ...((user !== undefined || everyUser) && { user: user ?? null }),
    ...((client !== undefined || everyClient) && { clientId: client ?? null })
  }
  if (Object.keys(entity).length === 0) throw invalid('Say whose quota: --user NAME, --every-user, --client ID, --every-client')
  return entity
}

const shown = ({ user, clientId }: QuotaEntity) => ({
  user: user === null ? '(every)' : user,
  client: clientId === null ? '(every)' : clientId
})

function setCommand(): Command {
  const command = entityOptions(new Command('set').description('set how much in a second'))
    .option('--produce <bytes>', 'bytes that may be sent', wholeNumber('--produce'))
    .option('--consume <bytes>', 'bytes that may be read', wholeNumber('--consume'))
    .option('--requests <percent>', "of the server's one thread, for all requests: 100 is the whole of it", above0('--requests'))
    .option('--mutations <count>', 'partitions that may be created and deleted', above0('--mutations'))
  return withSettings(command).action(async (options: EntityOptions & { readonly [K in Kind]?: number }) => {
    const given = kinds.filter(kind => options[kind] !== undefined)
    if (given.length === 0) throw invalid(`Say how much: ${kinds.map(kind => `--${kind}`).join(', ')}`)
    const entity = entityOf(options)
    const values = Object.fromEntries(given.map(kind => [kafkaNames[kind], options[kind]!]))
    await withQuotas(command, quotas => quotas.set(entity, values))
    printFacts({ ...shown(entity), ...values }, formatOf(command))
  })
}

function above0(flag: string): (text: string) => number {
  return text => {
    const value = Number(text)
    if (Number.isFinite(value) && value > 0) return value
    throw invalid(`${flag} = ${text}: expected a number above 0`)
  }
}

function removeCommand(): Command {
  const command = entityOptions(new Command('remove').description('remove quotas; without a flag that says which, all of them'))
    .option('--produce', 'that of bytes sent', false)
    .option('--consume', 'that of bytes read', false)
    .option('--requests', "that of the thread's time", false)
    .option('--mutations', 'that of partitions created and deleted', false)
  return withSettings(command).action(async (options: EntityOptions & { readonly [K in Kind]: boolean }) => {
    const entity = entityOf(options)
    const named = kinds.filter(kind => options[kind])
    const names = (named.length > 0 ? named : kinds).map(kind => kafkaNames[kind])
    await withQuotas(command, quotas => quotas.set(entity, Object.fromEntries(names.map(name => [name, null]))))
    printFacts({ ...shown(entity), removed: names.join(', ') }, formatOf(command))
  })
}

function listCommand(): Command {
  const command = new Command('list').description('list quotas')
  return withSettings(command).action(async () => {
    const quotas = await withQuotas(command, admin => admin.list())
    if (quotas.length === 0 && formatOf(command) === 'table') say('There is no quota.')
    const rows = quotas.map(({ entity, values }) => ({ ...shown(entity), ...values }))
    printRows(rows, ['user', 'client', ...Object.values(kafkaNames)], formatOf(command))
  })
}

async function withQuotas<T>(command: Command, run: (quotas: QuotaAdmin) => Promise<T>): Promise<T> {
  const quotas = quotaAdmin(brokerOf(configOf(command)))
  try {
    return await run(quotas)
  } finally {
    await quotas.close()
  }
}

const invalid = (reason: string): AssayError => new AssayError('INVALID_ARGUMENT', { reason })
