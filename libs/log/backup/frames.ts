/**
 * A backup on its way from the server that takes it to whoever stores it: frames of a JSON head and, of batches, their bytes.
 * Layout: docs/formats/backup.md.
 */
import { AssayError } from '@assay/errors'
import { crc32c } from '@assay/records'
import type { Offset } from '../log.ts'

export const BACKUP_FORMAT = 1
export const BACKUP_MEDIA_TYPE = 'application/vnd.assay.backup'

export interface CutPartition {
  readonly topicId: string
  readonly partition: number
  readonly startOffset: Offset
  /** The first offset that is not part of the backup. */
  readonly endOffset: Offset
}

export type FrameHead =
  | {
      readonly kind: 'begin'
      readonly format: number
      readonly clusterId: string
      /** When the backup was begun, by the server's clock. */
      readonly takenAtMs: number
      readonly partitions: readonly CutPartition[]
    }
  /** `at` counts the partitions of the first frame. */
  | { readonly kind: 'batches'; readonly at: number; readonly bytes: number }
  /** Somebody deleted records meanwhile: what was sent of the partition is void, it begins at this offset. */
  | { readonly kind: 'restart'; readonly at: number; readonly startOffset: Offset }
  | { readonly kind: 'end'; readonly batches: number; readonly bytes: number }
  | { readonly kind: 'failed'; readonly message: string }

export interface Frame {
  readonly head: FrameHead
  readonly payload: Buffer
}

/** The length of the head, and the CRC-32C of head and payload. */
const PREFIX_BYTES = 8
const HEAD_BYTES_MAX = 64 << 20
const PAYLOAD_BYTES_MAX = 1 << 30

export function encodeFrame(head: FrameHead, payload: readonly Buffer[] = []): Buffer {
  const text = Buffer.from(JSON.stringify(head))
  const frame = Buffer.concat([Buffer.alloc(PREFIX_BYTES), text, ...payload])
  frame.writeUInt32BE(text.length, 0)
  frame.writeUInt32BE(crc32c(frame, PREFIX_BYTES), 4)
  return frame
}

/** Fails with STORE_CORRUPT at bytes that are no frame, and when they end within one. */
export async function* decodeFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const reader = byteReader(chunks)
  for (;;) {
    const prefix = await reader.take(PREFIX_BYTES)
    if (prefix === undefined) return
    const headBytes = prefix.readUInt32BE(0)
    if (headBytes > HEAD_BYTES_MAX) throw damagedStream(`a frame claims a head of ${headBytes} bytes`)
    const text = await reader.need(headBytes)
    const head = readHead(text)
    const payloadBytes = head.kind === 'batches' ? head.bytes : 0
    if (!(payloadBytes >= 0 && payloadBytes <= PAYLOAD_BYTES_MAX)) throw damagedStream(`a frame claims ${payloadBytes} bytes`)
    const payload = await reader.need(payloadBytes)
    if (crc32c(Buffer.concat([text, payload])) !== prefix.readUInt32BE(4))
      throw damagedStream('the checksum of a frame does not match')
    yield { head, payload }
  }
}

export const damagedStream = (reason: string): AssayError =>
  new AssayError('STORE_CORRUPT', { what: 'The backup that is being received', reason })

function readHead(bytes: Buffer): FrameHead {
  try {
    const head = JSON.parse(bytes.toString()) as FrameHead
    if (typeof head === 'object' && head !== null && typeof head.kind === 'string') return head
  } catch {}
  throw damagedStream('a frame has no head')
}

function byteReader(chunks: AsyncIterable<Uint8Array>) {
  const source = chunks[Symbol.asyncIterator]()
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let hasEnded = false

  /** Undefined when there is nothing any more; fewer bytes than asked for are damage. */
  async function take(bytes: number): Promise<Buffer | undefined> {
    while (waitingBytes < bytes && !hasEnded) {
      const { value, done } = await source.next()
      if (done) hasEnded = true
      else {
        waiting.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
        waitingBytes += value.byteLength
      }
    }
    if (waitingBytes === 0 && bytes > 0) return undefined
    if (waitingBytes < bytes) throw damagedStream('it was cut off')
    const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting)
    waiting = all.length === bytes ? [] : [all.subarray(bytes)]
    waitingBytes = all.length - bytes
    return all.subarray(0, bytes)
  }

  return {
    take,
    async need(bytes: number): Promise<Buffer> {
      const taken = await take(bytes)
      if (taken === undefined) throw damagedStream('it was cut off')
      return taken
    }
  }
}
