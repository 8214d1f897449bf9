/** The Kafka door: listens, with TLS or without, bounds how many may come in, and gives every connection to the engine. */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Engine } from '@assay/engine'
import { certifiedPrincipal, type Tls } from '@assay/security'
import { type Clock, type Logger, lentMemory, systemClock } from '@assay/std'
import { type Connection, type ConnectionLimits, serveConnection } from './connection.ts'
import type { QuotaDesk } from './quotas.ts'
import type { AuthenticationEvents, AuthenticationTerms } from './security/authentication.ts'
import { readShared } from './shared-reads.ts'

export interface BrokerLimits extends ConnectionLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
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
  readonly clock?: Clock
  /** Absent: connections are not encrypted. */
  readonly tls?: Tls
  /** Absent: nobody is asked who he is. */
  readonly authentication?: AuthenticationTerms
  /** Absent: nobody has a quota. */
  readonly quotas?: QuotaDesk
  /** Told of every log-in that came to an end. Must not throw. */
  readonly onLogIn?: (logIn: LogIn) => void
}

export interface LogIn {
  /** Who was proved, or null where nobody was. */
  readonly principal: string | null
  readonly address: string
  /** A mechanism of SASL, or `TLS` for a certificate. */
  readonly mechanism: string
  /** Why not; null where all went well. */
  readonly failure: string | null
}

export interface Broker {
  readonly host: string
  readonly port: number
  /** Connections that are open now, those in the handshake of TLS included. */
  readonly connectionCount: number
  /** Takes no more connections, lets what is under way be answered within the limit, and ends the rest. The engine is left open. */
  close(): Promise<void>
}

/** Kept for the large frames of all connections. */
const FRAME_MEMORY_BYTES = 16 << 20
const SWEEP_MS = 1000

/** Resolves when the door is open. Fails with the system's error when the address cannot be taken. */
export async function listenBroker(parts: BrokerParts): Promise<Broker> {
  const { engine, host, port, limits, logger, tls, clock = systemClock, onLogIn = () => {} } = parts
  const connections = new Set<Connection>()
  const sockets = new Set<Socket>()
  const perAddress = new Map<string, number>()
  const memory = lentMemory(FRAME_MEMORY_BYTES)
  let nextId = 1

  /** Every socket, before the first byte of it is read. */
  function admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? 'unknown'
    const ofAddress = perAddress.get(address) ?? 0
    if (sockets.size >= limits.connectionsMax || ofAddress >= limits.connectionsPerAddressMax) {
      logger.warn({ connections: sockets.size, ofAddress, remoteAddress: address }, 'a connection too many was turned away')
      socket.destroy()
      return false
    }
    sockets.add(socket)
    perAddress.set(address, ofAddress + 1)
    socket.once('close', () => {
      sockets.delete(socket)
      const left = perAddress.get(address)! - 1
      if (left === 0) perAddress.delete(address)
      else perAddress.set(address, left)
    })
    return true
  }

  /** Undefined for a client whose certificate is from nobody we know. */
  function accept(socket: Socket): Connection | undefined {
    const address = socket.remoteAddress ?? 'unknown'
    let certified: string | undefined
    try {
      certified = certifiedPrincipal(socket)
    } catch (error) {
      const failure = (error as Error).message
      logger.warn({ remoteAddress: address, reason: failure }, 'connection closed')
      onLogIn({ principal: null, address, mechanism: 'TLS', failure })
      socket.destroy()
      return undefined
    }
    if (certified !== undefined) onLogIn({ principal: certified, address, mechanism: 'TLS', failure: null })
    const { authentication, quotas } = parts
    const onAuthentication: AuthenticationEvents = {
      succeeded: (principal, mechanism) => onLogIn({ principal, address, mechanism, failure: null }),
      failed: (failure, mechanism) => onLogIn({ principal: null, address, mechanism, failure })
    }
    const id = nextId++
    const connection = serveConnection({
      id,
      socket,
      engine,
      limits,
      memory,
      logger,
      clock,
      certified,
      authentication,
      onAuthentication,
      quotas
    })
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
    return connection
  }

  function acceptPlain(accepted: Socket): void {
    let connection: Connection | undefined
    const socket = readShared(accepted, chunk => connection?.receive(chunk))
    if (admit(socket)) connection = accept(socket)
  }

  function acceptSecure(socket: Socket): void {
    const connection = accept(socket)
    socket.on('data', chunk => connection?.receive(chunk as Buffer))
  }

  const server: Server = tls ? tlsServer(tls) : createServer({ noDelay: true, pauseOnConnect: true }, acceptPlain)

  function tlsServer({ options, onRenewal }: Tls): Server {
    const secured = createTlsServer({ ...options, handshakeTimeout: limits.handshakeTimeoutMs, noDelay: true }, acceptSecure)
    // Ahead of the listener that begins the handshake: a socket too many costs no cryptography.
    secured.prependListener('connection', admit)
    secured.on('tlsClientError', (error, socket) => {
      logger.debug({ err: error, remoteAddress: socket.remoteAddress }, 'the handshake of TLS failed')
      // One that has taken too long stays open otherwise.
      socket.destroy()
    })
    onRenewal(context => secured.setSecureContext(context))
    return secured
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      server.on('error', error => logger.error({ err: error }, 'the Kafka door failed'))
      resolve()
    })
  })
  const address = server.address() as { address: string; port: number }
  logger.info({ host: address.address, port: address.port, tls: tls !== undefined }, 'the Kafka door is open')

  let sweeping = clock.after(0, () => {})
  const sweepMs = Math.min(SWEEP_MS, limits.connectionIdleMs / 2, limits.handshakeTimeoutMs / 2)
  function sweep(): void {
    const now = clock.now()
    for (const connection of connections) connection.sweep(now)
    sweeping = clock.after(sweepMs, sweep)
  }
  sweep()

  return {
    host: address.address,
    port: address.port,
    get connectionCount() {
      return sockets.size
    },
    async close() {
      sweeping.cancel()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const connection of connections) connection.stop()
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, limits.shutdownTimeoutMs)
      await closed
      clearTimeout(timer)
    }
  }
}
