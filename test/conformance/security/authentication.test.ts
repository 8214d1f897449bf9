/** Who is at the other end of a Kafka connection: every mechanism right and wrong, what may be asked before, what a log-in is good for, and TLS. */

import { readFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiVersions, describeCluster, encodeRequest, errorName, metadata, requestFrame, saslHandshake } from '@assay/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawClient, rawClient } from '../../raw-client.ts'
import {
  dialTls,
  logInByToken,
  logInPlain,
  logInScram,
  passwordOf,
  type SaslOutcome,
  type SecuredServer,
  saslMessage,
  securedServer
} from './secured-server.ts'

let secured: SecuredServer
const clients: RawClient[] = []

beforeAll(async () => {
  secured = await securedServer({
    users: ['anna', 'bert', 'o=hara,x'],
    superUsers: ['anna'],
    settings: { loginFailuresMax: 1000 }
  })
})
afterAll(async () => {
  for (const client of clients) client.close()
  await secured.close()
})

async function dial(): Promise<RawClient> {
  const client = await rawClient(secured.server.kafka)
  clients.push(client)
  return client
}

const cluster = (client: RawClient) =>
  client.ask(describeCluster, 0, { includeClusterAuthorizedOperations: true, endpointType: 1, includeFencedBrokers: false })

const versions = (client: RawClient) =>
  client.ask(apiVersions, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1', clusterId: null, nodeId: -1 })

type LogIn = (client: RawClient) => Promise<SaslOutcome>

const right: [name: string, logIn: LogIn][] = [
  ['PLAIN', client => logInPlain(client, 'anna')],
  ['SCRAM-SHA-256', client => logInScram(client, 'SCRAM-SHA-256', 'anna')],
  ['SCRAM-SHA-512', client => logInScram(client, 'SCRAM-SHA-512', 'anna')],
  ['SCRAM with a name that is escaped', client => logInScram(client, 'SCRAM-SHA-512', 'o=hara,x')],
  ['OAUTHBEARER', async client => logInByToken(client, await secured.tokenOf('anna'))]
]

const wrong: [name: string, logIn: LogIn, says: RegExp][] = [
  ['PLAIN, a wrong password', client => logInPlain(client, 'anna', 'guess'), /wrong name or password/],
  ['PLAIN, a user who is not there', client => logInPlain(client, 'nobody'), /wrong name or password/],
  ['PLAIN, no password', client => logInPlain(client, 'anna', ''), /needs a name and a password/],
  [
    'PLAIN, the name of another',
    async client => {
      await client.ask(saslHandshake, 1, { mechanism: 'PLAIN' })
      return saslMessage(client, `anna\0bert\0${passwordOf('bert')}`)
    },
    /authorization ID/
  ],
  ['SCRAM, a wrong password', client => logInScram(client, 'SCRAM-SHA-256', 'anna', 'guess'), /wrong name or password/],
  ['SCRAM, a user who is not there', client => logInScram(client, 'SCRAM-SHA-512', 'nobody'), /wrong name or password/],
  [
    'SCRAM, no first message',
    async client => {
      await client.ask(saslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
      return saslMessage(client, 'hello')
    },
    /no first message/
  ],
  [
    'SCRAM, channel binding',
    async client => {
      await client.ask(saslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
      return saslMessage(client, 'p=tls-unique,,n=anna,r=abc')
    },
    /no first message/
  ],
  [
    'OAUTHBEARER, an expired token',
    async client => logInByToken(client, await secured.tokenOf('anna', { expiresInS: -60 })),
    /expired/
  ],
  [
    'OAUTHBEARER, a token for others',
    async client => logInByToken(client, await secured.tokenOf('anna', { audience: 'x' })),
    /aud/
  ],
  ['OAUTHBEARER, no token', client => logInByToken(client, 'abc'), /no JSON Web Token/]
]

describe('a log-in', () => {
  test.each(right)('by %s is known from then on', async (_name, logIn) => {
    const client = await dial()
    expect(await logIn(client)).toMatchObject({ errorCode: 0, errorMessage: null })
    expect((await cluster(client)).errorCode).toBe(0)
  })

  test.each(wrong)('by %s is refused with a reason, and the connection ends', async (_name, logIn, says) => {
    const client = await dial()
    const { errorCode, errorMessage } = await logIn(client)
    expect([errorName(errorCode), errorMessage]).toEqual(['SASL_AUTHENTICATION_FAILED', expect.stringMatching(says)])
    await client.closed
  })

  test('by a mechanism that is not offered is told which are, and the connection ends', async () => {
    const client = await dial()
    const answer = await client.ask(saslHandshake, 1, { mechanism: 'GSSAPI' })
    expect(errorName(answer.errorCode)).toBe('UNSUPPORTED_SASL_MECHANISM')
    expect(answer.mechanisms).toEqual(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'])
    await client.closed
  })

  test('of a user who is not there asks the same as that of one who is: salt and iterations stay', async () => {
    const firstOf = async (user: string): Promise<string> => {
      const client = await dial()
      await client.ask(saslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
      return (await saslMessage(client, `n,,n=${user},r=abc`)).authBytes.replace(/^r=[^,]*/, '')
    }
    const [known, unknown] = [await firstOf('anna'), await firstOf('nobody')]
    expect(unknown.length).toBe(known.length)
    expect(unknown.split('i=')[1]).toBe(known.split('i=')[1])
    expect(await firstOf('nobody')).toBe(unknown)
    expect(await firstOf('nobody2')).not.toBe(unknown)
  })

  test('with version 0 of the handshake goes without headers', async () => {
    const [host, port] = secured.server.kafka.split(':')
    const socket = connectPlain(Number(port), host)
    const frames: Buffer[] = []
    let held = Buffer.alloc(0)
    socket.on('data', chunk => {
      held = Buffer.concat([held, chunk as Buffer])
      while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
        frames.push(held.subarray(4, 4 + held.readInt32BE(0)))
        held = held.subarray(4 + held.readInt32BE(0))
      }
    })
    const bare = Buffer.from(`\0anna\0${passwordOf('anna')}`)
    const length = Buffer.alloc(4)
    length.writeInt32BE(bare.length)
    const handshake = Buffer.concat(
      requestFrame(saslHandshake, 0, 7, 'c', encodeRequest(saslHandshake, 0, { mechanism: 'PLAIN' }))
    )
    const after = requestFrame(
      apiVersions,
      0,
      8,
      'c',
      encodeRequest(apiVersions, 0, { clientSoftwareName: '', clientSoftwareVersion: '', clusterId: null, nodeId: -1 })
    )
    // All in one piece: each is read as what the one before it makes of it.
    socket.write(Buffer.concat([handshake, length, bare, ...after]))
    await expect.poll(() => frames.length, { timeout: 5000 }).toBe(3)
    expect([frames[0]!.readInt32BE(0), frames[0]!.readInt16BE(4), frames[1]!.length, frames[2]!.readInt32BE(0)]).toEqual([
      7, 0, 0, 8
    ])
    socket.destroy()
  })
})

describe('before a log-in', () => {
  test('versions are told, and nothing else is answered', async () => {
    const client = await dial()
    expect((await versions(client)).errorCode).toBe(0)
    await expect(cluster(client)).rejects.toThrow('the connection is gone')
  })

  test('a message of the exchange without a handshake ends the connection', async () => {
    const client = await dial()
    expect(errorName((await saslMessage(client, 'x')).errorCode)).toBe('ILLEGAL_SASL_STATE')
    await client.closed
  })

  test('a frame of more than 64 KiB ends the connection', async () => {
    const client = await dial()
    await client.ask(saslHandshake, 1, { mechanism: 'PLAIN' })
    await expect(saslMessage(client, 'x'.repeat(70_000))).rejects.toThrow('the connection is gone')
  })

  test('the same frame is read after it', async () => {
    const client = await dial()
    await logInPlain(client, 'anna')
    const topics = Array.from({ length: 700 }, (_, n) => ({ topicId: '0'.repeat(32), name: `${n}`.padEnd(100, 'x') }))
    const answer = await client.ask(metadata, 9, {
      topics,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false
    })
    expect(answer.topics.length).toBe(700)
  })
})

describe('a log-in once more', () => {
  test('by the same user goes on; a message in the wrong place is said to be one', async () => {
    const client = await dial()
    await logInPlain(client, 'bert')
    expect(errorName((await saslMessage(client, 'x')).errorCode)).toBe('ILLEGAL_SASL_STATE')
    expect((await logInPlain(client, 'bert')).errorCode).toBe(0)
    expect((await cluster(client)).errorCode).toBe(0)
  })

  test('by another user, or another mechanism, ends the connection', async () => {
    const client = await dial()
    await logInPlain(client, 'bert')
    expect(errorName((await logInPlain(client, 'anna')).errorCode)).toBe('SASL_AUTHENTICATION_FAILED')
    await client.closed
    const other = await dial()
    await logInPlain(other, 'bert')
    const answer = await other.ask(saslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
    expect(errorName(answer.errorCode)).toBe('UNSUPPORTED_SASL_MECHANISM')
    await other.closed
  })

  test('is asked for when the token ends: the lifetime is told, and an expired session is closed', async () => {
    const client = await dial()
    // The clocks may differ by 30 seconds, so a token that has just ended is good for a moment yet.
    const { sessionLifetimeMs } = await logInByToken(client, await secured.tokenOf('anna', { expiresInS: -28 }))
    expect(Number(sessionLifetimeMs)).toBeGreaterThan(0)
    expect(Number(sessionLifetimeMs)).toBeLessThanOrEqual(2000)
    await sleep(Number(sessionLifetimeMs) + 100)
    await expect(cluster(client)).rejects.toThrow('the connection is gone')
  })

  test('in time keeps the session', async () => {
    const client = await dial()
    const first = await logInByToken(client, await secured.tokenOf('anna', { expiresInS: -28 }))
    expect((await logInByToken(client, await secured.tokenOf('anna'))).errorCode).toBe(0)
    await sleep(Number(first.sessionLifetimeMs) + 100)
    expect((await cluster(client)).errorCode).toBe(0)
  })
})

describe('TLS', () => {
  let tls: SecuredServer
  beforeAll(async () => {
    tls = await securedServer({ users: ['bert'], superUsers: ['CN=anna,O=Example', 'bert'], tls: 'optional' })
  })
  afterAll(() => tls.close())

  const over = async (options: object): Promise<RawClient> => {
    const client = await dialTls(tls, options)
    clients.push(client)
    return client
  }

  test('a certificate is who its subject names, without any log-in', async () => {
    const client = await over({ cert: readFileSync(tls.files.cert), key: readFileSync(tls.files.key) })
    const { errorCode, clusterAuthorizedOperations } = await cluster(client)
    expect([errorCode, clusterAuthorizedOperations > 0]).toEqual([0, true])
  })

  test('without a certificate a log-in is asked for', async () => {
    const client = await over({})
    expect((await logInScram(client, 'SCRAM-SHA-512', 'bert')).errorCode).toBe(0)
    expect((await cluster(client)).errorCode).toBe(0)
    await expect(cluster(await over({}))).rejects.toThrow('the connection is gone')
  })

  test('who does not speak it is not heard', async () => {
    const client = await rawClient(tls.server.kafka)
    clients.push(client)
    await expect(versions(client)).rejects.toThrow('the connection is gone')
  })
})

test('passwords cannot be tried out, whatever the mechanism', async () => {
  const bounded = await securedServer({ users: ['anna'], settings: { loginFailuresMax: 3 } })
  const attempt = async (logIn: LogIn): Promise<string | null> => {
    const client = await rawClient(bounded.server.kafka)
    clients.push(client)
    return (await logIn(client)).errorMessage
  }
  try {
    expect(await attempt(client => logInPlain(client, 'anna', 'a'))).toMatch(/wrong/)
    expect(await attempt(client => logInScram(client, 'SCRAM-SHA-256', 'anna', 'b'))).toMatch(/wrong/)
    expect(await attempt(client => logInByToken(client, 'c'))).toMatch(/no JSON/)
    for (const logIn of [
      (client: RawClient) => logInPlain(client, 'anna'),
      (client: RawClient) => logInScram(client, 'SCRAM-SHA-256', 'anna')
    ]) {
      expect(await attempt(logIn)).toMatch(/Too many log-ins from 127\.0\.0\.1; try again in \d+ s/)
    }
  } finally {
    await bounded.close()
  }
})

test('who does not finish the handshake of TLS in time is let go', async () => {
  const hasty = await securedServer({ users: ['anna'], tls: 'none', settings: { handshakeTimeoutMs: 300 } })
  const client = await rawClient(hasty.server.kafka)
  await client.closed
  await hasty.close()
})

test('who does not prove who he is in time is let go', async () => {
  const hasty = await securedServer({ users: ['anna'], settings: { handshakeTimeoutMs: 300 } })
  const client = await rawClient(hasty.server.kafka)
  const known = await rawClient(hasty.server.kafka)
  await logInScram(known, 'SCRAM-SHA-256', 'anna')
  await client.closed
  await sleep(400)
  expect((await cluster(known)).errorCode).toBe(0)
  known.close()
  await hasty.close()
})

test('the door listens beyond this machine when everybody is asked who he is', async () => {
  const open = await securedServer({ users: ['anna'], settings: { kafka: '0.0.0.0:0', http: '0.0.0.0:0' } })
  const client = await rawClient(open.server.kafka.replace('0.0.0.0', '127.0.0.1'))
  expect((await logInScram(client, 'SCRAM-SHA-512', 'anna')).errorCode).toBe(0)
  client.close()
  await open.close()
  await expect(
    securedServer({
      users: ['anna'],
      settings: { kafka: '0.0.0.0:0', securityFile: '', jwtKeys: '', jwtIssuer: '', jwtAudience: '' }
    })
  ).rejects.toThrow('no client is authenticated')
})
