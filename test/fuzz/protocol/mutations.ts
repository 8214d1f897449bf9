/** Frames that are not what they should be, each from a seed and a number alone. */
import { randomOf } from '../../suites/random.ts'
import type { Frame } from './real-frames.ts'

type Random = ReturnType<typeof randomOf>

/** What is written to the socket, length in front. */
export interface Mutant {
  readonly bytes: Buffer
  readonly kind: string
  readonly of: string
}

const INT32 = [0x7f_ff_ff_ff, -1, -2_147_483_648, 0, 1, 0x00_ff_ff_ff, 0x7f_ff_ff_ff - 4]
const INT16 = [0x7f_ff, -1, -32_768, 0, 255]
/** Unsigned varints: the largest of 32 bits, one of six bytes, one that never ends. */
const VARINTS = ['ffffffff0f', 'ffffffffff01', 'ffffffffffffffffff', '8080808080808000', '00'].map(hex => Buffer.from(hex, 'hex'))

const replaced = (bytes: Buffer, at: number, by: Buffer, instead = by.length): Buffer =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(Math.min(bytes.length, at + instead))])

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
const pick = <T>(random: Random, row: readonly T[]): T => row[random(row.length)]!
const noise = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)))

/** Header of a request up to the client ID. */
const HEADER_BYTES = 8

const bodyMutations: Readonly<Record<string, (bytes: Buffer, random: Random, frames: readonly Frame[]) => Buffer>> = {
  'a bit': (bytes, random) => {
    const at = HEADER_BYTES + random(bytes.length - HEADER_BYTES)
    return replaced(bytes, at, Buffer.from([bytes[at]! ^ (1 << random(8))]))
  },
  'bytes overwritten': (bytes, random) =>
    replaced(bytes, HEADER_BYTES + random(bytes.length - HEADER_BYTES), noise(random, 1 + random(8))),
  'bytes put in': (bytes, random) =>
    replaced(bytes, HEADER_BYTES + random(bytes.length - HEADER_BYTES), noise(random, 1 + random(16)), 0),
  'bytes left out': (bytes, random) =>
    replaced(bytes, HEADER_BYTES + random(bytes.length - HEADER_BYTES), Buffer.alloc(0), 1 + random(8)),
  'cut off': (bytes, random) => bytes.subarray(0, random(bytes.length)),
  'bytes behind': (bytes, random) => Buffer.concat([bytes, noise(random, 1 + random(64))]),
  'a length of 32 bits': (bytes, random) =>
    replaced(bytes, HEADER_BYTES + random(bytes.length - HEADER_BYTES), int32(pick(random, INT32))),
  'a length of 16 bits': (bytes, random) =>
    replaced(bytes, HEADER_BYTES + random(bytes.length - HEADER_BYTES), int16(pick(random, INT16))),
  'a varint': (bytes, random) => replaced(bytes, HEADER_BYTES + random(bytes.length - HEADER_BYTES), pick(random, VARINTS), 1),
  'a slice doubled': (bytes, random) => {
    const from = random(bytes.length)
    return replaced(bytes, from, bytes.subarray(from, from + 1 + random(64)), 0)
  },
  'another version': (bytes, random) => replaced(bytes, 2, int16(pick(random, [random(20), -1, 0x7f_ff]))),
  'another API': (bytes, random) => replaced(bytes, 0, int16(pick(random, [random(100), -1, 0x7f_ff]))),
  'two halves': (bytes, random, frames) => {
    const other = pick(random, frames).bytes
    return Buffer.concat([bytes.subarray(0, random(bytes.length)), other.subarray(random(other.length))])
  }
}

export const mutationKinds: readonly string[] = [...Object.keys(bodyMutations), 'a frame length']

/** The same for the same seed and number. */
export function mutantOf(frames: readonly Frame[], seed: number, number: number): Mutant {
  const random = randomOf((seed * 1_000_003 + number) | 0)
  const frame = frames[number % frames.length]!
  const of = `${frame.api.name} ${frame.version}`
  const kind = pick(random, mutationKinds)
  const mutate = bodyMutations[kind]
  if (mutate === undefined) {
    // A length that the bytes do not keep: more than comes, less than comes, or none at all.
    const length = pick(random, [...INT32, frame.bytes.length - 1 - random(8), frame.bytes.length + 1 + random(64)])
    return { bytes: Buffer.concat([int32(length), frame.bytes]), kind, of }
  }
  let bytes = mutate(frame.bytes, random, frames)
  // One in four is wrong in a second place too.
  if (random(4) === 0 && bytes.length > HEADER_BYTES)
    bytes = bodyMutations[pick(random, Object.keys(bodyMutations))]!(bytes, random, frames)
  return { bytes: Buffer.concat([int32(bytes.length), bytes]), kind, of }
}

/** A frame cut at every byte, the length being that of what is left. */
export function* cutsOf({ api, version, bytes }: Frame): Generator<Mutant> {
  for (let at = 0; at < bytes.length; at++) {
    const cut = bytes.subarray(0, at)
    yield { bytes: Buffer.concat([int32(at), cut]), kind: 'cut', of: `${api.name} ${version} at ${at}` }
  }
}
