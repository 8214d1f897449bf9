/** A whole door with security on: registry, engine, gate and events in memory, a security file, an audit that is kept. */
import { randomBytes, scryptSync } from 'node:crypto'
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gate, openEvents } from '@assay/gate'
import { createTopics } from '@assay/protocol'
import { openRegistry, type Registry, schemaSource } from '@assay/registry'
import { type AuditEvent, openSecurity, type Security, type TokenVerifier } from '@assay/security'
import { silentLogger, systemClock } from '@assay/std'
import type { FastifyInstance } from 'fastify'
import { openEngine } from '../../../libs/engine/level/engine.fixture.ts'
import { openTestLog } from '../../../libs/registry/test/log.ts'
import { type HandClock, handClock } from '../../../libs/security/time.fixture.ts'
import { type BoundRoute, bind } from '../route.ts'
import { backupRoutes } from '../routes/backup.ts'
import { eventRoutes } from '../routes/events.ts'
import { buildHttp, type HttpParts } from '../server.ts'
import { eventViews } from './events-view.ts'

/** One line of a file: `anna allow read subject orders-*`; the registry has no name. */
export type AclLine = string

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
  /** Of a failure. */
  readonly message: string
}

export interface Secured {
  readonly app: FastifyInstance
  readonly registry: Registry
  readonly clock: HandClock
  readonly audited: AuditEvent[]
  readonly events: BoundRoute[]
  readonly parts: HttpParts
  /** `user` with his password; a header of another kind goes into `headers`. */
  ask(
    line: string,
    options?: { user?: string; body?: unknown; headers?: Record<string, string>; address?: string }
  ): Promise<Reply>
  /** Puts another file in the place of the one that is there, and waits until it is in force. */
  change(acls: readonly AclLine[]): Promise<void>
  close(): Promise<void>
}

export const passwordOf = (user: string): string => `password of ${user}`
export const basic = (user: string, password = passwordOf(user)): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

export interface SecuredOptions {
  readonly users: readonly string[]
  readonly acls: readonly AclLine[]
  readonly superUsers?: readonly string[]
  readonly tokens?: TokenVerifier | undefined
  readonly failuresMax?: number
  readonly http?: Partial<HttpParts>
}

export async function openSecured(options: SecuredOptions): Promise<Secured> {
  const { users, acls, superUsers = ['User:root'], tokens, failuresMax = 1_000_000, http } = options
  const hashes = Object.fromEntries(users.map(user => [user, { scrypt: cheapHash(passwordOf(user)) }]))
  const textOf = (lines: readonly AclLine[]): string => JSON.stringify({ users: hashes, acls: lines.map(aclOf), superUsers })
  const path = join(mkdtempSync(join(tmpdir(), 'assay-secured-')), 'security.json')
  writeFileSync(path, textOf(acls), { mode: 0o600 })

  const clock = handClock()
  let reloads = 0
  const logger = { ...silentLogger, info: () => void reloads++ }
  const security: Security = await openSecurity({ file: path, tokens, clock, logger, random: randomBytes, failuresMax })
  const registry = await openRegistry({ log: await openTestLog(), clock: systemClock })
  const bench = await openEngine()
  const source = schemaSource(registry, silentLogger)
  const gated = gate(bench.engine, { source, onReject: () => {}, logger: silentLogger, decompressedBytesMax: 1_000_000 })
  const { session } = bench
  const events = openEvents({ engine: gated, source, session, clock: bench.clock, decompressedBytesMax: 1_000_000 })
  for (const name of ['mine', 'other'])
    await bench.ask(createTopics, { topics: [{ name, numPartitions: 1, replicationFactor: 1 }], timeoutMs: 1000 })
  const routes = [
    ...bind(eventViews(events, registry), eventRoutes),
    ...bind(
      {
        take: async () => Readable.from([Buffer.from('frames')])
      },
      backupRoutes
    )
  ]
  const audited: AuditEvent[] = []
  const audit = { report: (event: AuditEvent) => void audited.push(event) }
  const parts: HttpParts = { registry, logger: silentLogger, routes, security, audit, clock, ...http }
  const app = buildHttp(parts)
  return {
    app,
    registry,
    clock,
    audited,
    events: routes,
    parts,
    async ask(line, { user, body, headers = {}, address = '10.0.0.1' } = {}) {
      const [method = '', url = ''] = line.split(' ')
      const answer = await app.inject({
        method: method as 'GET',
        url,
        remoteAddress: address,
        headers: { ...(user !== undefined && { authorization: basic(user) }), ...headers },
        ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) })
      })
      const parsed = parse(answer.body)
      const message = String((parsed as { message?: unknown } | null)?.message ?? '')
      return { status: answer.statusCode, headers: answer.headers, body: parsed, message }
    },
    async change(lines) {
      const before = reloads
      writeFileSync(`${path}.new`, textOf(lines), { mode: 0o600 })
      renameSync(`${path}.new`, path)
      const end = Date.now() + 5000
      while (reloads === before && Date.now() < end) {
        clock.advance(1000)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    },
    async close() {
      await app.close()
      await security.close()
      await registry.close()
      await bench.engine.close()
      await bench.log.close()
    }
  }
}

/** Cheap on purpose: the cost of passwords is tested elsewhere. */
function cheapHash(password: string): string {
  const salt = randomBytes(16)
  const hash = scryptSync(password, salt, 32, { N: 2 ** 10, r: 8, p: 1 })
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  return `$scrypt$ln=10,r=8,p=1$${text(salt)}$${text(hash)}`
}

function aclOf(line: AclLine) {
  const [who = '', permission, operation, resource, name = 'registry'] = line.split(' ')
  const isPrefixed = name.length > 1 && name.endsWith('*')
  return {
    principal: `User:${who}`,
    permission,
    operation,
    resource,
    pattern: isPrefixed ? 'prefixed' : 'literal',
    name: isPrefixed ? name.slice(0, -1) : name
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
