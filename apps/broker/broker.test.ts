import { connect, type Socket } from 'node:net'
import type { ClientQuotas, Engine, Request } from '@assay/engine'
import {
  type AnyApi,
  apiVersions,
  decodeResponse,
  encodeRequest,
  endTxn,
  heartbeat,
  produce,
  type RequestOf,
  requestFrame,
  responseBodyAt
} from '@assay/protocol'
import { lentMemory, silentLogger } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import { fakeClock } from '../../libs/engine/level/engine.fixture.ts'
import { type Broker, type BrokerLimits, type BrokerParts, listenBroker } from './broker.ts'
import { frameSplitter } from './frames.ts'
import { openQuotaDesk } from './quotas.ts'

const limits: BrokerLimits = {
  frameBytesMax: 1_000_000,
  connectionBytesMax: 200_000,
  connectionIdleMs: 60_000,
  requestElementsMax: 1000,
  connectionsMax: 10,
  connectionsPerAddressMax: 10,
  handshakeTimeoutMs: 10_000,
  shutdownTimeoutMs: 2000
}

const open: { broker?: Broker; sockets: Socket[] } = { sockets: [] }
afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy()
  await open.broker?.close()
})

const seed = Number(process.env['ASSAY_SEED'] ?? 20261123)
console.log(`seed ${seed}`)

/** Numbers 0 <= n < 1 that a seed repeats (a linear congruential generator: its high bits are random enough here). */
function randomOf(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** False when it has not come true within ten seconds. */
async function until(holds: () => boolean): Promise<boolean> {
  for (let left = 1000; left > 0 && !holds(); left--) await new Promise(resolve => setTimeout(resolve, 10))
  return holds()
}

type Answer = (request: Request) => Promise<object | null>

async function start(
  answer: Answer,
  overrides: Partial<BrokerLimits> = {},
  more: AnyApi[] = [],
  parts: Partial<BrokerParts> = {}
): Promise<Broker> {
  const engine: Engine = {
    apis: [
      { api: heartbeat, versions: heartbeat.versions },
      { api: produce, versions: produce.versions },
      ...more.map(api => ({ api, versions: api.versions }))
    ],
    answer,
    topic: () => undefined,
    close: async () => {}
  }
  open.broker = await listenBroker({
    engine,
    host: '127.0.0.1',
    port: 0,
    limits: { ...limits, ...overrides },
    logger: silentLogger,
    ...parts
  })
  return open.broker
}

/** A client that sends bytes and collects whole response frames. */
function dial({ port }: Broker) {
  const socket = connect(port, '127.0.0.1')
  open.sockets.push(socket)
  socket.on('error', () => {})
  const frames: Buffer[] = []
  const splitter = frameSplitter(() => 1 << 30, lentMemory(0))
  let wake = (): void => {}
  let ended = false
  socket.on('data', chunk => {
    for (const { bytes } of splitter.push(chunk as Buffer)) frames.push(bytes)
    wake()
  })
  socket.on('close', () => {
    ended = true
    wake()
  })
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  return {
    socket,
    frames,
    send: (bytes: Buffer) => socket.write(bytes),
    received: async (count: number) => {
      await until(() => frames.length >= count || ended)
      return frames.slice(0, count)
    },
    closed: () => until(() => ended)
  }
}

const frameOf = <A extends AnyApi>(api: A, version: number, correlationId: number, body: RequestOf<A>): Buffer =>
  Buffer.concat(requestFrame(api, version, correlationId, 'test', encodeRequest(api, version, body)))

const beat = (correlationId: number): Buffer =>
  frameOf(heartbeat, 4, correlationId, { groupId: 'g', generationId: correlationId, memberId: 'm', groupInstanceId: null })

/** Echoes the generation as the throttle time, after an uneven wait. */
const echo: Answer = async ({ body }) => {
  const { generationId } = body as RequestOf<typeof heartbeat>
  if (generationId % 3 === 0) await new Promise(resolve => setTimeout(resolve, 2))
  return { throttleTimeMs: generationId, errorCode: 0 }
}

const emptyProduce = frameOf(produce, 9, 1, { transactionalId: null, acks: -1, timeoutMs: 1, topicData: [] })

/** Answers Produce with 30,000 bytes, much more than the request has. */
const answerAtLength: Answer = async () => {
  const partitionResponses = [
    {
      index: 0,
      errorCode: 0,
      baseOffset: 0n,
      logAppendTimeMs: 0n,
      logStartOffset: 0n,
      recordErrors: [],
      errorMessage: 'x'.repeat(30_000),
      currentLeader: { leaderId: -1, leaderEpoch: -1 }
    }
  ]
  return { responses: [{ name: 't', topicId: '', partitionResponses }], throttleTimeMs: 0, nodeEndpoints: [] }
}

const throttleOf = (frame: Buffer): number => decodeResponse(heartbeat, 4, frame, responseBodyAt(heartbeat, 4)).throttleTimeMs

describe('frames on a socket', () => {
  test('a request that comes byte by byte is answered', async () => {
    const client = dial(await start(echo))
    for (const byte of beat(5)) {
      client.send(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
    const [frame] = await client.received(1)
    expect(frame!.readInt32BE(0)).toBe(5)
    expect(throttleOf(frame!)).toBe(5)
  })

  test('1,000 requests in one go are answered in their order', async () => {
    const client = dial(await start(echo))
    client.send(Buffer.concat(Array.from({ length: 1000 }, (_, index) => beat(index))))
    const frames = await client.received(1000)
    expect(frames.map(frame => frame.readInt32BE(0))).toEqual(Array.from({ length: 1000 }, (_, index) => index))
  })

  test('Produce requests run together and are answered in their order, others wait their turn', async () => {
    let running = 0
    let most = 0
    const client = dial(
      await start(async ({ api }) => {
        most = Math.max(most, ++running)
        await new Promise(resolve => setTimeout(resolve, 5))
        running--
        return api.key === produce.key
          ? { responses: [], throttleTimeMs: 0, nodeEndpoints: [] }
          : { throttleTimeMs: most, errorCode: 0 }
      })
    )
    const send = (id: number): Buffer => frameOf(produce, 9, id, { transactionalId: null, acks: -1, timeoutMs: 1, topicData: [] })
    client.send(Buffer.concat([send(1), send(2), send(3), beat(4), beat(5)]))
    const frames = await client.received(5)
    expect(frames.map(frame => frame.readInt32BE(0))).toEqual([1, 2, 3, 4, 5])
    expect(throttleOf(frames[4]!)).toBe(3)
  })

  test.each([
    ['a frame above the limit', Buffer.from('7fffffff', 'hex')],
    ['a negative length', Buffer.from('ffffffff', 'hex')],
    ['an unknown API', Buffer.from('0000000a03e7000000000001ffff', 'hex')],
    ['a version that is not served', Buffer.from('0000000a0000000200000001ffff', 'hex')],
    ['a body that is too short', Buffer.from('0000000a000c000000000001ffff', 'hex')],
    ['a frame without a header', Buffer.from('0000000100', 'hex')]
  ])('%s closes the connection, and others go on', async (_name, bytes) => {
    const broker = await start(echo)
    const bad = dial(broker)
    const good = dial(broker)
    bad.send(bytes)
    await bad.closed()
    good.send(beat(1))
    expect((await good.received(1)).length).toBe(1)
  })

  test('a failing handler closes its connection', async () => {
    const client = dial(
      await start(async () => {
        throw new Error('broken')
      })
    )
    client.send(beat(1))
    await client.closed()
    expect(client.frames).toEqual([])
  })

  test('a request without an answer does not hold up the next', async () => {
    const client = dial(
      await start(async ({ body }) => ((body as { generationId: number }).generationId === 1 ? null : echo({ body } as Request)))
    )
    client.send(Buffer.concat([beat(1), beat(2)]))
    expect((await client.received(1))[0]!.readInt32BE(0)).toBe(2)
  })

  test('a client that takes no answers is read from no further', async () => {
    let asked = 0
    const client = dial(
      await start(async request => {
        asked++
        return answerAtLength(request)
      })
    )
    client.socket.pause()
    for (let count = 0; count < 2000; count++) client.send(emptyProduce)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(asked).toBeLessThan(2000)
    client.socket.resume()
    expect((await client.received(2000)).length).toBe(2000)
  })

  test('a client that never takes its answers is closed after the idle time, with requests waiting', async () => {
    const broker = await start(answerAtLength, { connectionIdleMs: 200 })
    const client = dial(broker)
    client.socket.pause()
    for (let count = 0; count < 5000; count++) client.send(emptyProduce)
    await new Promise(resolve => setTimeout(resolve, 100))
    expect(broker.connectionCount).toBe(1)
    expect(await until(() => broker.connectionCount === 0)).toBe(true)
  })

  test('half a frame and then silence is closed after the idle time', async () => {
    const client = dial(await start(echo, { connectionIdleMs: 50 }))
    client.send(beat(1).subarray(0, 9))
    await client.closed()
    expect(client.frames).toEqual([])
  })

  test('random bytes close the connection or wait for more, and others go on', async () => {
    const random = randomOf(seed)
    const broker = await start(echo)
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(Array.from({ length: 4 + Math.floor(random() * 80) }, () => Math.floor(random() * 256)))
      // Half of them as a whole frame, so that headers and bodies are reached too.
      if (round % 2 === 0) bytes.writeInt32BE(bytes.length - 4)
      if (round % 4 === 0 && bytes.length >= 8) bytes.writeInt32BE((heartbeat.key << 16) | (round % 5), 4)
      const client = dial(broker)
      client.socket.end(bytes)
      await client.closed()
    }
    const good = dial(broker)
    good.send(beat(1))
    expect((await good.received(1)).length).toBe(1)
  })

  test('a connection too many is turned away', async () => {
    const broker = await start(echo, { connectionsMax: 1 })
    const first = dial(broker)
    first.send(beat(1))
    await first.received(1)
    await dial(broker).closed()
  })

  test('a connection too many from one address is turned away', async () => {
    const broker = await start(echo, { connectionsPerAddressMax: 1 })
    const first = dial(broker)
    first.send(beat(1))
    await first.received(1)
    await dial(broker).closed()
    first.socket.destroy()
    expect(await until(() => broker.connectionCount === 0)).toBe(true)
    const next = dial(broker)
    next.send(beat(1))
    expect((await next.received(1)).length).toBe(1)
  })

  test('a request that trickles in byte by byte is as idle as none', async () => {
    const client = dial(await start(echo, { connectionIdleMs: 300 }))
    client.send(beat(1))
    await client.received(1)
    const began = performance.now()
    const trickle = setInterval(() => client.socket.writable && client.send(Buffer.from([0])), 20)
    await client.closed()
    clearInterval(trickle)
    expect(performance.now() - began).toBeLessThan(5000)
  })

  test('a silent connection is closed after the idle time', async () => {
    await dial(await start(echo, { connectionIdleMs: 50 })).closed()
  })

  test('closing answers what is under way first', async () => {
    const broker = await start(async () => {
      await new Promise(resolve => setTimeout(resolve, 100))
      return { throttleTimeMs: 9, errorCode: 0 }
    })
    const client = dial(broker)
    client.send(beat(1))
    await new Promise(resolve => setTimeout(resolve, 30))
    await broker.close()
    await client.closed()
    expect(client.frames.map(throttleOf)).toEqual([9])
  })

  test('closing does not wait for a client that goes on sending', async () => {
    const broker = await start(echo, { connectionBytesMax: 2000, shutdownTimeoutMs: 20_000 })
    const client = dial(broker)
    const many = Buffer.concat(Array.from({ length: 100 }, (_, index) => beat(index)))
    const sending = setInterval(() => client.socket.writable && client.send(many), 1)
    await client.received(100)
    const began = performance.now()
    await broker.close()
    clearInterval(sending)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

describe('ApiVersions', () => {
  const ask = async (version: number, name: string, more: AnyApi[] = []) => {
    const client = dial(await start(echo, {}, more))
    client.send(
      frameOf(apiVersions, version, 1, { clientSoftwareName: name, clientSoftwareVersion: '1.0', clusterId: null, nodeId: -1 })
    )
    const [frame] = await client.received(1)
    return decodeResponse(apiVersions, version, frame!, 4)
  }

  test.each([0, 1, 2, 3, 4, 5])('version %i lists what is served, Produce from 0', async version => {
    const { errorCode, apiKeys } = await ask(version, 'a-client')
    expect(errorCode).toBe(0)
    expect(apiKeys).toEqual([
      { apiKey: 0, minVersion: 0, maxVersion: 13 },
      { apiKey: 12, minVersion: 0, maxVersion: 4 },
      { apiKey: 17, minVersion: 0, maxVersion: 1 },
      { apiKey: 18, minVersion: 0, maxVersion: 5 },
      { apiKey: 36, minVersion: 0, maxVersion: 2 }
    ])
  })

  test.each([3, 4, 5])(
    'version %i tells that transactions work by the second protocol, and by no other, where they are served',
    async version => {
      const told = await ask(version, 'a-client', [endTxn])
      const transactions = { name: 'transaction.version' }
      expect(told.supportedFeatures).toMatchObject([{ ...transactions, minVersion: 2, maxVersion: 2 }])
      expect(told.finalizedFeatures).toMatchObject([{ ...transactions, minVersionLevel: 2, maxVersionLevel: 2 }])
      expect(told.finalizedFeaturesEpoch).toBe(0n)
      expect((await ask(version, 'a-client')).finalizedFeatures).toEqual([])
    }
  )

  test('a name that is no name is refused', async () => {
    expect((await ask(3, 'no name!')).errorCode).toBe(42)
  })

  test('a version of the future is answered in the oldest form', async () => {
    const client = dial(await start(echo))
    client.send(Buffer.from('0000000a0012006300000007ffff', 'hex'))
    const [frame] = await client.received(1)
    expect(frame!.toString('hex')).toBe('000000070023000000010012'.concat('00000005'))
  })
})

describe('a client who uses more of the thread than he may', () => {
  /** A second of the thread has a thousand milliseconds, of which everybody has 200 for himself. */
  const quotas: ClientQuotas = {
    isEmpty: false,
    entries: () => [],
    isSet: key => key === 'request_percentage',
    limit: (key, { clientId }) => (key === 'request_percentage' ? { bound: 20, sharedBy: clientId ?? '' } : undefined),
    change: async () => {}
  }
  const heartbeatOf = (clientId: string): Buffer => {
    const body = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
    return Buffer.concat(requestFrame(heartbeat, 4, 1, clientId, encodeRequest(heartbeat, 4, body)))
  }
  const waitOf = (frame: Buffer | undefined): number =>
    decodeResponse(heartbeat, 4, frame!, responseBodyAt(heartbeat, 4)).throttleTimeMs

  test('is told to wait, and is not served before, while others are', async () => {
    const clock = fakeClock()
    let threadMs = 0
    let begun = 0
    const hardWork: Answer = async () => {
      begun++
      threadMs += 100
      await new Promise(resolve => setImmediate(resolve))
      threadMs += 150
      return { throttleTimeMs: 0, errorCode: 0 }
    }
    const desk = openQuotaDesk(quotas, clock, () => threadMs)
    const broker = await start(hardWork, {}, [], { clock, quotas: desk })
    const [busy, other] = [dial(broker), dial(broker)]
    busy.send(heartbeatOf('busy'))
    expect(waitOf((await busy.received(1))[0])).toBe(250)
    busy.send(heartbeatOf('busy'))
    other.send(heartbeatOf('other'))
    expect(waitOf((await other.received(1))[0])).toBe(250)
    clock.advance(249)
    await new Promise(resolve => setImmediate(resolve))
    expect(begun).toBe(2)
    clock.advance(1)
    // He has earned 50 of what he owed, and used 250.
    expect(waitOf((await busy.received(2))[1])).toBe(1000)
    expect([begun, desk.throttles.request_percentage]).toEqual([3, 3])
    desk.close()
  })
})
