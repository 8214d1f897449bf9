/** The Kafka door as the settings ask for it: TLS, log-ins, authorization, quotas, and what is counted and written down of them. */
import { authorize, type Broker, type LogIn, listenBroker, openQuotaDesk, readMechanisms } from '@assay/broker-service'
import { type Address, type Config, isLoopback } from '@assay/config'
import type { ClientQuotas, Engine } from '@assay/engine'
import type { Metrics } from '@assay/registry-service'
import { ANONYMOUS, type AuditSink, openAttempts, type Security, type SettingsParts, tlsFromSettings } from '@assay/security'

export interface KafkaDoorParts extends SettingsParts {
  readonly config: Config
  readonly address: Address
  /** The gate around the engine. */
  readonly engine: Engine
  readonly quotas: ClientQuotas
  readonly security: Security | undefined
  readonly audit: AuditSink | undefined
  readonly metrics: Metrics
}

export interface KafkaDoor extends Pick<Broker, 'host' | 'port'> {
  close(): Promise<void>
}

/** Fails with INVALID_SETTING, and with the system's error when the address cannot be taken. */
export async function openKafkaDoor(parts: KafkaDoorParts): Promise<KafkaDoor> {
  const { config, address, security, audit, metrics, clock, logger } = parts
  const mechanisms = security && readMechanisms(config.kafkaSaslMechanisms, { tokens: security.kinds.includes('token') })
  const tls = await tlsFromSettings('kafka', config, parts)
  if (security && !tls && !isLoopback(address.host)) {
    logger.warn({ kafka: config.kafka }, 'passwords travel in the clear: set kafka-tls-cert and kafka-tls-key')
  }
  const quotas = openQuotaDesk(parts.quotas, clock)
  const countLogIn = metrics.set.counter({
    name: 'assay_kafka_log_ins_total',
    help: 'Log-ins at the Kafka door, by SASL mechanism or TLS certificate.',
    labelNames: ['mechanism', 'outcome']
  })
  metrics.set.gauge({
    name: 'assay_kafka_throttles',
    help: 'Requests since the start whose clients had to wait because of a quota.',
    labelNames: ['quota'],
    read: () => Object.entries(quotas.throttles).map(([name, value]) => ({ labels: [name], value }))
  })
  // A client that fails tries again and again: an address is written down once a minute, and counted every time.
  const refusals = openAttempts(clock, 1)

  function onLogIn({ principal, address: from, mechanism, failure }: LogIn): void {
    // A mechanism that is not offered has any name that a client likes.
    const label = mechanism === 'TLS' || mechanisms?.some(known => known === mechanism) ? mechanism : 'other'
    countLogIn(label, failure === null ? 'right' : 'failed')
    if (failure === null || !audit || refusals.begin(from) !== undefined) return
    audit.report({
      principal: principal ?? ANONYMOUS,
      address: from,
      request: `SaslAuthenticate ${label}`,
      operation: null,
      resource: null,
      outcome: 'failed',
      errorCode: SASL_AUTHENTICATION_FAILED,
      requestId: '',
      atMs: clock.now()
    })
  }

  try {
    const broker = await listenBroker({
      engine: authorize({ engine: parts.engine, security, audit, clock }),
      host: address.host,
      port: address.port,
      limits: config,
      logger,
      clock,
      quotas,
      onLogIn,
      ...(tls && { tls }),
      ...(security &&
        mechanisms && { authentication: { security, mechanisms, reauthenticationMs: config.kafkaReauthenticationMs, clock } })
    })
    metrics.set.gauge({
      name: 'assay_kafka_connections',
      help: 'Connections that are open at the Kafka door.',
      read: () => broker.connectionCount
    })
    return {
      host: broker.host,
      port: broker.port,
      async close() {
        await broker.close()
        quotas.close()
        await tls?.close()
      }
    }
  } catch (error) {
    quotas.close()
    await tls?.close()
    throw error
  }
}

/** The number that the client is answered with. */
const SASL_AUTHENTICATION_FAILED = 58
