/** The Kafka door: listens, and gives every connection to the engine. */
import { createServer, type Socket } from 'node:net'
import type { Engine } from '@assay/engine'
import type { Logger } from '@assay/std'
import { type Connection, type ConnectionLimits, serveConnection } from './connection.ts'
import { frameMemory } from './frame-memory.ts'
import { readShared } from './shared-reads.ts'

export interface BrokerLimits extends ConnectionLimits {
  readonly connectionsMax: number
  /** How long a stop waits for answers under way. */
  readonly shutdownTimeoutMs: number
}

export interface BrokerParts {
  /** Usually the gate around an engine. */
  readonly engine: Engine
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly limits: BrokerLimits
  readonly logger: Logger
}

/** Kept for the large frames of all connections. */
const FRAME_MEMORY_BYTES = 16 << 20

export interface Broker {
  readonly host: string
  readonly port: number
  /** Connections that are open now. */
  readonly connectionCount: number
  /** Takes no more connections, lets what is under way be answered within the limit, and ends the rest. The engine is left open. */
  close(): Promise<void>
}

/** Resolves when the door is open. Fails with the system's error when the address cannot be taken. */
export async function listenBroker({ engine, host, port, limits, logger }: BrokerParts): Promise<Broker> {
  const connections = new Set<Connection>()
  const memory = frameMemory(FRAME_MEMORY_BYTES)
  let nextId = 1

  function accept(accepted: Socket): void {
    if (connections.size >= limits.connectionsMax) {
      logger.warn(
        { connections: connections.size, remoteAddress: accepted.remoteAddress },
        'a connection too many was turned away'
      )
      accepted.destroy()
      return
    }
    const socket = readShared(accepted, chunk => connection.receive(chunk))
    const connection = serveConnection({ id: nextId++, socket, engine, limits, memory, logger })
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
  }

  const server = createServer({ noDelay: true, pauseOnConnect: true }, accept)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      server.on('error', error => logger.error({ err: error }, 'the Kafka door failed'))
      resolve()
    })
  })
  const address = server.address() as { address: string; port: number }
  logger.info({ host: address.address, port: address.port }, 'the Kafka door is open')

  return {
    host: address.address,
    port: address.port,
    get connectionCount() {
      return connections.size
    },
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const connection of connections) connection.stop()
      const timer = setTimeout(() => {
        for (const connection of connections) connection.destroy()
      }, limits.shutdownTimeoutMs)
      await closed
      clearTimeout(timer)
    }
  }
}
