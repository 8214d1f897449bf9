import { AssayError, table } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import type { AnyApi } from './api.ts'
import { apis } from './apis/all.ts'
import { apiVersions } from './apis/api-versions.ts'
import { fetch } from './apis/fetch.ts'
import { heartbeat } from './apis/heartbeat.ts'
import { produce } from './apis/produce.ts'
import { codes } from './codes.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './compile.ts'
import { type AnyField, Field, type Fields, ZERO_UUID } from './field.ts'
import { readRequestHeader, requestFrame, responseBodyAt, responseFrame } from './frame.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? 20261123)
console.log(`seed ${seed}`)

/** A small generator of numbers 0 <= n < 1 (mulberry32), so that a failing run can be repeated by its seed. */
function randomOf(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function randomMessage(fields: Fields, version: number, random: () => number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, randomValue(field, version, random)]))
}

/** What a version does not carry has its default, so that what is decoded equals what was encoded. */
function randomValue(field: AnyField, version: number, random: () => number): unknown {
  const { kind, since, until, nullableSince, of, fallback } = field.shape
  if (version < since || version > until) return fallback
  if (nullableSince <= version && random() < 0.2) return null
  const int = (bits: number): number => Math.floor((random() - 0.5) * 2 ** bits)
  switch (kind) {
    case 'bool':
      return random() < 0.5
    case 'int8':
      return int(8)
    case 'int16':
      return int(16)
    case 'uint16':
      return Math.floor(random() * 2 ** 16)
    case 'int32':
      return int(32)
    case 'uint32':
      return Math.floor(random() * 2 ** 32)
    case 'int64':
      return BigInt(int(32)) * BigInt(int(31))
    case 'float64':
      return random() * 1e9
    case 'uuid':
      return Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')
    case 'string':
      return 'aé✓𝄞'.repeat(Math.floor(random() * 40))
    case 'bytes':
    case 'records':
      return Buffer.alloc(Math.floor(random() * (random() < 0.1 ? 9000 : 50)), 7)
    case 'batches':
      return [Buffer.alloc(Math.floor(random() * (random() < 0.1 ? 9000 : 50)), 7)]
    case 'struct':
      return randomMessage(of as Fields, version, random)
    case 'array':
      return Array.from({ length: Math.floor(random() * 4) }, () =>
        of instanceof Field ? randomValue(of, version, random) : randomMessage(of as Fields, version, random)
      )
  }
}

const everyVersion = apis.flatMap(api =>
  Array.from({ length: api.versions[1] - api.versions[0] + 1 }, (_, index): [AnyApi, number] => [api, api.versions[0] + index])
)

describe('every API at every version', () => {
  test('what is encoded is decoded again', () => {
    const random = randomOf(seed)
    for (const [api, version] of everyVersion) {
      for (let round = 0; round < 5; round++) {
        const request = randomMessage(api.request, version, random)
        const response = randomMessage(api.response, version, random)
        expect(
          decodeRequest(api, version, Buffer.concat(encodeRequest(api, version, request))),
          `${api.name} v${version}`
        ).toEqual(request)
        expect(
          decodeResponse(api, version, Buffer.concat(encodeResponse(api, version, response))),
          `${api.name} v${version}`
        ).toEqual(response)
      }
    }
  })

  test('a request cut at any byte is refused by name, one with a byte too many is read without it', () => {
    const random = randomOf(seed + 1)
    for (const [api, version] of everyVersion) {
      const whole = Buffer.concat(encodeRequest(api, version, randomMessage(api.request, version, random)))
      for (let length = 0; length < whole.length; length += whole.length > 2000 ? 97 : 1) {
        expect(() => decodeRequest(api, version, whole.subarray(0, length))).toThrow(`${api.name} v${version} request: `)
      }
      expect(decodeRequest(api, version, Buffer.concat([whole, Buffer.alloc(1)]))).toEqual(decodeRequest(api, version, whole))
    }
  })

  test('random bytes are decoded or refused, never worse', () => {
    const random = randomOf(seed + 2)
    for (const [api, version] of everyVersion) {
      for (let round = 0; round < 60; round++) {
        const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)))
        try {
          decodeRequest(api, version, bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(AssayError)
        }
      }
    }
  })
})

test('a count beyond the bytes left is refused before anything is allocated', () => {
  const body = Buffer.alloc(14)
  body.writeInt16BE(-1, 0)
  body.writeInt32BE(0x7fffffff, 8)
  expect(() => decodeRequest(produce, 3, body)).toThrow('topicData: a length of 2147483647, 2 bytes left')
})

test('elements of all arrays together are bounded', () => {
  const topicData = Array.from({ length: 40 }, () => ({ name: 't', topicId: '', partitionData: [{ index: 0, records: null }] }))
  const body = Buffer.concat(encodeRequest(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1, topicData }))
  expect(decodeRequest(produce, 9, body, 0, 80).topicData.length).toBe(40)
  expect(() => decodeRequest(produce, 9, body, 0, 79)).toThrow('more array elements than a request may have')
})

test('null where a value is needed names the field', () => {
  expect(() => decodeRequest(heartbeat, 0, Buffer.from('ffff', 'hex'))).toThrow(
    'Heartbeat v0 request: groupId: null where a value is needed'
  )
})

test('large record batches are handed on, not copied', () => {
  const batches = [Buffer.alloc(5000, 1), Buffer.alloc(6000, 2)]
  const epoch = { epoch: -1, endOffset: -1n }
  const partition = {
    partitionIndex: 0,
    errorCode: 0,
    highWatermark: 2n,
    lastStableOffset: 2n,
    logStartOffset: 0n,
    divergingEpoch: epoch,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: epoch,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: batches
  }
  const responses = [{ topic: 't', topicId: ZERO_UUID, partitions: [partition] }]
  const buffers = encodeResponse(fetch, 12, { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses, nodeEndpoints: [] })
  for (const batch of batches) expect(buffers.some(buffer => buffer === batch)).toBe(true)
  const frame = Buffer.concat(buffers)
  const [decoded] = decodeResponse(fetch, 12, frame).responses[0]!.partitions[0]!.records!
  expect(decoded).toEqual(Buffer.concat(batches))
  expect(decoded!.buffer).toBe(frame.buffer)
})

test('what stands in for a field that is left out cannot be changed by who reads it', () => {
  const body = { replicaId: -1, maxWaitMs: 1, minBytes: 1, maxBytes: 1, isolationLevel: 0, topics: [] }
  const bytes = Buffer.concat(encodeRequest(fetch, 4, body as never))
  const { forgottenTopicsData, replicaState } = decodeRequest(fetch, 4, bytes)
  expect(() => forgottenTopicsData.push({ topic: 't', topicId: '', partitions: [] })).toThrow(TypeError)
  expect(() => {
    replicaState.replicaId = 1
  }).toThrow(TypeError)
  expect(decodeRequest(fetch, 4, bytes)).toMatchObject({ forgottenTopicsData: [], replicaState: { replicaId: -1 } })
})

test('unknown tagged fields are passed over', () => {
  const body = Buffer.concat(encodeRequest(heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }))
  const withTag = Buffer.concat([body.subarray(0, -1), Buffer.from('0163020a0b', 'hex')])
  expect(decodeRequest(heartbeat, 4, withTag)).toEqual({ groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null })
})

describe('frames', () => {
  test.each([
    ['plain', 3],
    ['flexible', 4]
  ])('%s request header', (_name, version) => {
    const frame = Buffer.concat(requestFrame(heartbeat, version, 77, 'me', [Buffer.from('body')]))
    expect(frame.readInt32BE(0)).toBe(frame.length - 4)
    const header = readRequestHeader(frame.subarray(4), heartbeat)
    expect(header).toMatchObject({ key: 12, version, correlationId: 77, clientId: 'me' })
    expect(frame.subarray(4 + header.bodyAt).toString()).toBe('body')
  })

  test('the response header of ApiVersions has no tags at any version', () => {
    expect(responseBodyAt(heartbeat, 4)).toBe(5)
    expect(responseBodyAt(apiVersions, 3)).toBe(4)
    expect(Buffer.concat(responseFrame(apiVersions, 3, 1, [])).toString('hex')).toBe('0000000400000001')
  })
})

test('every Kafka name of the error table is a Kafka error', () => {
  const kafkaNames = Object.values(table).flatMap(row => ('kafka' in row ? [row.kafka] : []))
  expect(kafkaNames.filter(name => !Object.hasOwn(codes, name))).toEqual([])
})
