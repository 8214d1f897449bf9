/** A Kafka client with nothing in between: one connection, requests as typed bodies, answers matched in order. For tests that need every byte in hand. */
import { connect, type Socket } from 'node:net'
import {
  type AnyApi,
  decodeResponse,
  encodeRequest,
  errorName,
  fetch,
  type RequestOf,
  type ResponseOf,
  requestFrame,
  responseBodyAt,
  ZERO_UUID
} from '@assay/protocol'
import { decodeBatch, type RecordEntry, splitBatches } from '@assay/records'

export interface RawClient {
  /** Sends and waits for the answer; calls may overlap. Rejects when the connection is gone. */
  ask<A extends AnyApi>(api: A, version: number, body: RequestOf<A>): Promise<ResponseOf<A>>
  close(): void
  /** Resolves when the connection is gone, by whomever. */
  readonly closed: Promise<void>
}

interface Waiting {
  readonly api: AnyApi
  readonly version: number
  readonly correlationId: number
  readonly answer: PromiseWithResolvers<unknown>
}

/** `address` is HOST:PORT. Rejects when nothing listens there. */
export function rawClient(address: string, clientId = 'raw'): Promise<RawClient> {
  const at = address.lastIndexOf(':')
  const socket = connect(Number(address.slice(at + 1)), address.slice(0, at))
  socket.setNoDelay(true)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(clientOn(socket, clientId))
    })
  })
}

/** The same over a connection that is there already, such as one with TLS. */
export const rawClientOver = (socket: Socket): RawClient => clientOn(socket, 'raw')

function clientOn(socket: Socket, clientId: string): RawClient {
  const waiting: Waiting[] = []
  const { promise: closed, resolve: markClosed } = Promise.withResolvers<void>()
  let correlation = 0
  let held: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('close', () => {
    for (const { answer } of waiting.splice(0)) answer.reject(new Error('the connection is gone'))
    markClosed()
  })
  socket.on('data', chunk => {
    held = held.length === 0 ? (chunk as Buffer) : Buffer.concat([held, chunk as Buffer])
    while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
      const frame = held.subarray(4, 4 + held.readInt32BE(0))
      held = held.subarray(4 + frame.length)
      settle(frame)
    }
  })

  function settle(frame: Buffer): void {
    const { api, version, correlationId, answer } = waiting.shift()!
    if (frame.readInt32BE(0) !== correlationId)
      answer.reject(new Error(`answer ${frame.readInt32BE(0)} to request ${correlationId}`))
    else answer.resolve(decodeResponse(api, version, frame, responseBodyAt(api, version)))
  }

  return {
    closed,
    ask<A extends AnyApi>(api: A, version: number, body: RequestOf<A>): Promise<ResponseOf<A>> {
      const correlationId = ++correlation
      const answer = Promise.withResolvers<unknown>()
      if (socket.destroyed) answer.reject(new Error('the connection is gone'))
      else {
        waiting.push({ api, version, correlationId, answer })
        socket.write(Buffer.concat(requestFrame(api, version, correlationId, clientId, encodeRequest(api, version, body))))
      }
      return answer.promise as Promise<ResponseOf<A>>
    },
    close: () => void socket.destroy()
  }
}

export interface ReadFrom {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly bytesMax?: number
}

/** One Fetch at once: the records from `offset` on, as many as one answer holds; none at the end. */
export async function readRecords(
  client: RawClient,
  { topic, partition, offset, bytesMax = 1 << 22 }: ReadFrom
): Promise<RecordEntry[]> {
  const wanted = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: bytesMax,
    replicaDirectoryId: ZERO_UUID,
    highWatermark: 0n
  }
  const answer = await client.ask(fetch, 12, {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: bytesMax,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, topicId: ZERO_UUID, partitions: [wanted] }],
    forgottenTopicsData: [],
    rackId: ''
  })
  const found = answer.responses[0]!.partitions[0]!
  if (found.errorCode !== 0) throw new Error(`${topic}-${partition}@${offset}: ${errorName(found.errorCode)}`)
  const entries = splitBatches(Buffer.concat(found.records ?? [])).flatMap(batch => decodeBatch(batch, bytesMax))
  // A batch that begins before the offset is whole.
  return entries.filter(entry => entry.offset >= offset)
}
