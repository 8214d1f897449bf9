/** The whole of Assay in one process: the journal, the engine on it, the registry in it, the gate between them, and both doors. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { listenBroker } from '@assay/broker-service'
import { type Config, isLoopback, parseAddress } from '@assay/config'
import { levelEngine, SCHEMAS_TOPIC, type Session } from '@assay/engine'
import { AssayError } from '@assay/errors'
import {
  AUDIT_TOPIC,
  auditEvents,
  auditSchemaText,
  createAuditTopic,
  createRejectsTopic,
  gate,
  openEvents,
  REJECTS_TOPIC,
  type RejectEvents,
  rejectEvents,
  rejectSchemaText
} from '@assay/gate'
import { openLog } from '@assay/log'
import { openRegistry, schemaSource, snapshotFile } from '@assay/registry'
import { bind, eventRoutes, eventViews, listenHttp } from '@assay/registry-service'
import { httpTlsFromSettings, securityFromSettings } from '@assay/security'
import { type Logger, systemClock } from '@assay/std'
import { clusterIdOf } from './cluster-id.ts'

export interface Server {
  /** URL of the HTTP door. */
  readonly http: string
  /** HOST:PORT of the Kafka door, as clients are told. */
  readonly kafka: string
  /** Answers what is under way, closes both doors, and leaves a journal that opens without replay. A second call is the same as the first. */
  close(): Promise<void>
}

/** In the data directory; docs/formats/registry-snapshot.md. */
const REGISTRY_SNAPSHOT = 'registry.snapshot'

/** What the server itself asks of its engine: no connection stands behind it. */
const ownSession: Session = { id: 0, principal: 'User:ASSAY', remoteAddress: '127.0.0.1', closed: new AbortController().signal }

/** Resolves when both doors answer. What was opened before a failure is closed again. */
export async function startServer(config: Config, logger: Logger): Promise<Server> {
  const [http, kafka] = [parseAddress(config.http, '--http'), parseAddress(config.kafka, '--kafka')]
  const isSecured = config.securityFile !== ''
  // Who is authenticated may come from anywhere; the Kafka door asks nobody yet.
  if (!config.allowRemote) for (const { host } of isSecured ? [kafka] : [http, kafka]) refuseRemote(host)
  const opened: (() => Promise<unknown>)[] = []
  const close = once(async () => {
    for (const closeOne of opened.reverse()) await closeOne()
  })
  try {
    const parts = { clock: systemClock, logger, random: randomBytes }
    // First, so that a faulty file stops the start before anything is opened.
    const security = await securityFromSettings(config, parts)
    if (security) opened.push(() => security.close())
    const tls = await httpTlsFromSettings(config, parts)
    if (tls) opened.push(() => tls.close())
    if (security && !tls && !isLoopback(http.host)) {
      logger.warn({ http: config.http }, 'credentials travel in the clear: set http-tls-cert and http-tls-key')
    }
    const log = await openLog({
      ...config,
      directory: config.data,
      inflateBytesMax: config.decompressedBytesMax,
      clock: systemClock,
      logger
    })
    opened.push(() => log.close())
    let advertised = config.advertised === '' ? undefined : parseAddress(config.advertised, '--advertised')
    const clusterId = clusterIdOf(config.data)
    const engine = await levelEngine({
      log,
      clock: systemClock,
      logger,
      random: randomBytes,
      advertised: () => advertised ?? kafka,
      clusterId,
      options: config
    })
    opened.push(() => engine.close())
    const registry = await openRegistry({
      log: engine.partition(SCHEMAS_TOPIC, 0)!,
      clock: systemClock,
      logger,
      snapshots: snapshotFile(join(config.data, REGISTRY_SNAPSHOT))
    })
    opened.push(() => registry.close())
    const source = schemaSource(registry, logger)
    const schemaId = async (): Promise<number> =>
      (await registry.register(`${REJECTS_TOPIC}-value`, { schema: rejectSchemaText })).id
    await createRejectsTopic(engine, ownSession)
    const rejects: RejectEvents = rejectEvents({ engine, schemaId, session: ownSession, clock: systemClock, logger })
    opened.push(() => rejects.close())
    if (security) await createAuditTopic(engine, ownSession)
    const auditSchemaId = async (): Promise<number> =>
      (await registry.register(`${AUDIT_TOPIC}-value`, { schema: auditSchemaText })).id
    const audit = security && auditEvents({ engine, session: ownSession, logger, schemaId: auditSchemaId })
    if (audit) opened.push(() => audit.close())
    const { decompressedBytesMax } = config
    const gated = gate(engine, { source, onReject: rejects.report, logger, decompressedBytesMax })
    const events = openEvents({
      engine: gated,
      source,
      session: ownSession,
      clock: systemClock,
      decompressedBytesMax,
      storageRefusal: () => log.refusal
    })
    const broker = await listenBroker({ engine: gated, host: kafka.host, port: kafka.port, limits: config, logger })
    advertised ??= { host: broker.host, port: broker.port }
    opened.push(() => broker.close())
    const door = await listenHttp({
      registry,
      clusterId,
      storageRefusal: () => log.refusal,
      logger,
      host: http.host,
      port: http.port,
      limits: { bodyBytesMax: config.httpBodyBytesMax },
      ...(security && { security }),
      ...(tls && { tls }),
      ...(audit && { audit }),
      routes: bind(eventViews(events, registry), eventRoutes)
    })
    opened.push(() => door.close())
    return { http: door.url, kafka: `${advertised.host}:${advertised.port}`, close }
  } catch (error) {
    await close()
    throw translate(error, config)
  }
}

function refuseRemote(host: string): void {
  if (isLoopback(host)) return
  throw new AssayError('INVALID_ARGUMENT', {
    reason: `${host || 'every address'} is reachable from other machines and no client is authenticated; add --allow-remote if that is meant`
  })
}

/** The system's own errors about addresses, in words that say what to change. */
function translate(error: unknown, config: Config): unknown {
  const { code, port, address } = error as { code?: string; port?: number; address?: string }
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return error
  const flag = parseAddress(config.http, '--http').port === port ? '--http' : '--kafka'
  const why = { EADDRINUSE: 'is in use', EACCES: 'may not be used by this user', EADDRNOTAVAIL: 'is no address of this machine' }[
    code
  ]
  return new AssayError(
    'INVALID_ARGUMENT',
    { reason: `${address}:${port} ${why}; name another with ${flag} (port 0 picks a free one)` },
    { cause: error }
  )
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= run()
    return running
  }
}
