/** What the settings of a topic ask of the batches appended to it, worked out once for each set of settings. */
import { CODEC, type Codec, type CodecName } from '@assay/records'
import type { Topic } from '../engine.ts'
import type { Level } from './context.ts'
import { INT_MAX, LONG_MAX } from './topic-configs.ts'

export interface AppendTerms {
  /** Bytes of a batch as it is sent, and as it is stored. */
  readonly batchBytesMax: number
  /** Bytes of a record of a compressed batch; undefined when nobody bounds them. */
  readonly recordBytesMax: number | undefined
  readonly hasAppendTime: boolean
  /** How far the timestamp of a record may be from the clock. */
  readonly aheadMsMax: number
  /** Undefined when a record may be as old as it likes: then none has to be looked at. */
  readonly behindMsMax: number | undefined
  /** What batches are stored with; undefined is what they come with. */
  readonly codec: Codec | undefined
  readonly level: number | undefined
}

interface Known {
  readonly dynamic: ReadonlyMap<string, string>
  readonly terms: AppendTerms
}

const known = new WeakMap<Topic['configs'], Known>()

export function appendTerms(level: Level, topic: Topic): AppendTerms {
  const dynamic = level.defaults.dynamic()
  const before = known.get(topic.configs)
  if (before?.dynamic === dynamic) return before.terms
  const terms = read(name => level.topics.config(topic, name))
  known.set(topic.configs, { dynamic, terms })
  return terms
}

function read(config: (name: string) => string): AppendTerms {
  const type = config('compression.type')
  const behindMs = config('message.timestamp.before.max.ms')
  const recordBytes = Number(config('max.decompressed.message.bytes'))
  return {
    batchBytesMax: Number(config('max.message.bytes')),
    // Kafka's way to say "without bound" is the largest array of Java.
    recordBytesMax: recordBytes >= INT_MAX - 8 ? undefined : recordBytes,
    hasAppendTime: config('message.timestamp.type') === 'LogAppendTime',
    aheadMsMax: Number(config('message.timestamp.after.max.ms')),
    behindMsMax: behindMs === LONG_MAX ? undefined : Number(behindMs),
    codec: type === 'producer' ? undefined : type === 'uncompressed' ? CODEC.none : CODEC[type as CodecName],
    level: type === 'gzip' || type === 'zstd' ? Number(config(`compression.${type}.level`)) : undefined
  }
}
