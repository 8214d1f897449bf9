/**
 * The verdict on one record batch: every record walked, every key and value checked as the topic's policy asks.
 * Nothing is allocated for a record that passes.
 */
import { type Schema, validatorFor, WIRE_FORMAT_BYTES, WIRE_FORMAT_MAGIC } from '@assay/avro'
import { isAssayError } from '@assay/errors'
import { type BatchHeader, codecOf, decompress, HEADER_BYTES, RecordCursor, Scratch } from '@assay/records'
import type { PartPolicy, TopicPolicy } from './policy.ts'
import type { Rejection } from './rejection.ts'
import type { SchemaSource } from './schema-source.ts'

/** A batch that is wrong all through is described by its first faults; the answer stays small. */
const REJECTIONS_MAX = 100

export interface Verdict {
  readonly rejections: readonly Rejection[]
  /** True when a refusal may only mean that a schema registered elsewhere is not yet seen here. */
  readonly unknownSchema: boolean
}

/** A verdict keeps nothing of the batch. */
const scratch = new Scratch()
const ACCEPTED: Verdict = { rejections: [], unknownSchema: false }

/** `header` has been read from `batch`, whose length matches. Fails with DECOMPRESSED_TOO_LARGE or CORRUPT_BATCH. */
export function judge(
  batch: Buffer,
  header: BatchHeader,
  policy: TopicPolicy,
  source: SchemaSource,
  decompressedBytesMax: number
): Verdict {
  const stored = batch.subarray(HEADER_BYTES, header.sizeBytes)
  const codec = codecOf(header)
  const records = codec === 0 ? stored : decompress(codec, stored, decompressedBytesMax, scratch)
  const key = checkerOf(policy.key, source)
  const value = checkerOf(policy.value, source)
  const rejections: Rejection[] = []
  let unknownSchema = false
  try {
    const cursor = new RecordCursor(records, header.recordCount, { dense: true })
    for (let index = 0; cursor.next(); index++) {
      if (rejections.length >= REJECTIONS_MAX) break
      if (policy.keyNeeded && cursor.keyStart < 0) {
        rejections.push({ index, part: 'key', path: '', reason: 'a compacted topic needs a key on every record' })
      }
      const fault =
        (key && cursor.keyStart >= 0 ? key(records, cursor.keyStart, cursor.keyEnd) : undefined) ??
        (value && cursor.valueStart >= 0 ? value(records, cursor.valueStart, cursor.valueEnd) : undefined)
      if (fault === undefined) continue
      unknownSchema ||= fault.unknownSchema
      rejections.push({ index, ...fault.rejection })
    }
  } catch (error) {
    if (!isAssayError(error, 'INVALID_BATCH')) throw error
    rejections.push({ index: 0, part: 'record', path: '', reason: String(error.facts.reason) })
  }
  return rejections.length === 0 ? ACCEPTED : { rejections, unknownSchema }
}

interface PartFault {
  readonly rejection: Omit<Rejection, 'index'>
  readonly unknownSchema: boolean
}

type Checker = (bytes: Buffer, start: number, end: number) => PartFault | undefined

/** The check that a policy asks for now; undefined when it asks for none. */
function checkerOf(policy: PartPolicy, source: SchemaSource): Checker | undefined {
  const { validation, strategy, part, topicSubject } = policy
  if (validation === 'off') return undefined
  // Under a record-name strategy no subject belongs to the topic alone: choosing the strategy is what asks for the check.
  if (validation === 'auto' && strategy === 'TopicNameStrategy' && !source.hasSubject(topicSubject)) return undefined
  const deep = validation !== 'id'
  let lastId = -1
  let lastSchema: Schema | undefined

  return (bytes, start, end) => {
    const refuse = (reason: string, facts?: Partial<Rejection>, unknownSchema = false): PartFault => ({
      rejection: { part, path: '', reason, ...facts },
      unknownSchema
    })
    if (end - start < WIRE_FORMAT_BYTES || bytes[start] !== WIRE_FORMAT_MAGIC) {
      const found =
        end - start < WIRE_FORMAT_BYTES ? `${end - start} bytes` : `first byte 0x${bytes[start]!.toString(16).padStart(2, '0')}`
      return refuse(`expected magic byte 0x00 and a 4-byte schema ID, got ${found}`, subjectFact(policy))
    }
    const schemaId = bytes.readInt32BE(start + 1)
    if (schemaId !== lastId) {
      const schema = source.schemaById(schemaId)
      if (schema === undefined) return refuse('the schema ID is not registered', { schemaId, ...subjectFact(policy) }, true)
      const subject = subjectOf(policy, schema)
      if (subject === undefined) {
        return refuse(`${strategy} needs a named type, and the schema is ${schema.kind}`, { schemaId })
      }
      if (!source.isUnder(schemaId, subject)) {
        return refuse('the schema ID is not a version of the subject', { schemaId, subject }, true)
      }
      lastId = schemaId
      lastSchema = schema
    }
    if (!deep) return undefined
    const fault = validatorFor(lastSchema!)(bytes, start + WIRE_FORMAT_BYTES, end)
    if (fault === undefined) return undefined
    const subject = subjectOf(policy, lastSchema!)
    return refuse(fault.reason, { path: fault.path, schemaId, ...(subject === undefined ? {} : { subject }) })
  }
}

const subjectFact = ({ strategy, topicSubject }: PartPolicy): { subject?: string } =>
  strategy === 'TopicNameStrategy' ? { subject: topicSubject } : {}

/** Confluent's strategies: by topic, by the record's full name, by both. Undefined where a strategy needs a name and there is none. */
function subjectOf({ strategy, topicSubject, part }: PartPolicy, schema: Schema): string | undefined {
  if (strategy === 'TopicNameStrategy') return topicSubject
  if (schema.kind !== 'record' && schema.kind !== 'enum' && schema.kind !== 'fixed') return undefined
  if (strategy === 'RecordNameStrategy') return schema.name
  return `${topicSubject.slice(0, -part.length)}${schema.name}`
}
