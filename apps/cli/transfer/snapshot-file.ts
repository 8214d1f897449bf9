/** A snapshot as a file: one record of `_schemas` a line, `{"key":…,"value":…}`, keys and values as docs/formats/schemas-topic.md has them. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { AssayError } from '@assay/errors'
import { type Change, decodeRecord, encodeChange } from '@assay/registry'
import { type Snapshot, snapshotOf } from './snapshot.ts'

export function* linesOf({ versions, configs, modes }: Snapshot): Generator<string> {
  for (const change of [...versions, ...configs, ...modes]) {
    const { key, value } = encodeChange(change)
    yield `{"key":${key},"value":${value ?? 'null'}}\n`
  }
}

/** A record that says nothing that this understands, and where it stands. */
export interface PassedOver {
  readonly place: string
  readonly reason: string
}

export interface ReadSnapshot {
  readonly snapshot: Snapshot
  readonly passedOver: readonly PassedOver[]
}

/** `-` is stdin. Later records replace earlier ones, so that a whole topic, line by line, is read as well. Fails with INVALID_ARGUMENT. */
export async function readSnapshot(file: string): Promise<ReadSnapshot> {
  const input = file === '-' ? process.stdin : createReadStream(file)
  const changes: Change[] = []
  const passedOver: PassedOver[] = []
  let number = 0
  try {
    for await (const text of createInterface({ input })) {
      const place = `${file === '-' ? 'stdin' : file}:${++number}`
      if (text.trim() === '') continue
      const { key, value } = recordOf(text, place)
      const change = decodeRecord({ key: bytesOf(key), value: value === null ? null : bytesOf(value) })
      if (change?.type === 'unreadable') passedOver.push({ place, reason: change.reason })
      else if (change) changes.push(change)
    }
  } catch (error) {
    if (error instanceof AssayError) throw error
    throw new AssayError('INVALID_ARGUMENT', { reason: `${file}: ${(error as Error).message}` }, { cause: error })
  }
  return { snapshot: snapshotOf(changes), passedOver }
}

function recordOf(text: string, place: string): { readonly key: unknown; readonly value: unknown } {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new AssayError('INVALID_ARGUMENT', { reason: `${place}: ${reason}` }, { cause })
  }
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch (error) {
    return refuse(`not JSON: ${(error as Error).message}`, error)
  }
  if (typeof record !== 'object' || record === null || !('key' in record)) {
    return refuse('expected {"key":{"keytype":…},"value":{…}}, as assay export writes it')
  }
  return { key: record.key, value: 'value' in record ? record.value : null }
}

/** Tools that dump a topic write keys and values as texts. */
const bytesOf = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
