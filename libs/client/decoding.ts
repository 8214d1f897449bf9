/** Framed keys and values of one topic to what the program reads: the writer's schema by its ID, resolved to the program's own. */
import { framedId, WIRE_FORMAT_BYTES } from '@assay/avro'
import { AssayError, isAssayError } from '@assay/errors'
import type { AvroType } from './avro-type.ts'
import { type RegistryClient, refusedWith } from './registry.ts'
import type { TopicCodecs } from './topic-map.ts'

export interface Decoding {
  key(bytes: Buffer | null): Promise<unknown>
  value(bytes: Buffer | null): Promise<{ readonly value: unknown; readonly schemaId: number | undefined }>
}

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const SCHEMA_NOT_FOUND = 40403

export function decodingOf(codecs: TopicCodecs, registry: RegistryClient): Decoding {
  const decodeFramed = async (type: AvroType<unknown, never>, bytes: Buffer) => {
    const schemaId = framedId(bytes, 0, bytes.length)
    if (schemaId === undefined)
      throw new AssayError('INVALID_ARGUMENT', { reason: 'it does not begin with a magic byte and a schema ID' })
    const writer = await registry.parsedById(schemaId)
    return { value: type.decode(bytes.subarray(WIRE_FORMAT_BYTES), writer), schemaId }
  }
  return {
    key: async bytes => {
      if (bytes === null) return null
      return codecs.key ? (await decodeFramed(codecs.key, bytes)).value : strictText.decode(bytes)
    },
    value: async bytes => (bytes === null ? { value: null, schemaId: undefined } : decodeFramed(codecs.value, bytes))
  }
}

/** True when the registry is at fault and not the record: it did not answer, or refused for another reason than an unknown ID. */
export function isPeerFailure(error: unknown): boolean {
  return isAssayError(error, 'UNREACHABLE', 'PEER_REFUSED') && !refusedWith(error, SCHEMA_NOT_FOUND)
}
