/** Headers of Kafka requests and responses. The four bytes of length before a frame are the socket's business. */
import { AssayError } from '@assay/errors'
import type { AnyApi } from './api.ts'
import { apiByKey } from './apis/all.ts'
import { Reader, WireFault } from './reader.ts'
import { Writer } from './writer.ts'

const API_VERSIONS = 18

/** The first eight bytes, which look the same at every version of every API. */
export interface RequestStart {
  readonly key: number
  readonly version: number
  readonly correlationId: number
}

/** Reads the start of a request frame. Fails with MALFORMED_REQUEST when even that is not there. */
export function readRequestStart(frame: Buffer): RequestStart {
  if (frame.length < 8)
    throw new AssayError('MALFORMED_REQUEST', { api: 'Unknown', version: -1, reason: `${frame.length} bytes hold no header` })
  return { key: frame.readInt16BE(0), version: frame.readInt16BE(2), correlationId: frame.readInt32BE(4) }
}

export interface RequestHeader extends RequestStart {
  readonly clientId: string | null
  /** Where the body begins in the frame. */
  readonly bodyAt: number
}

/** Reads the whole header: version 2 with tagged fields where the API is flexible; the client ID is a plain string even there. */
export function readRequestHeader(frame: Buffer, api: AnyApi): RequestHeader {
  const start = readRequestStart(frame)
  const reader = new Reader(frame, 8, frame.length)
  try {
    const length = reader.length16()
    const clientId = length < 0 ? null : reader.text(length)
    if (start.version >= api.flexibleSince) reader.skipTags()
    return { ...start, clientId, bodyAt: reader.at }
  } catch (error) {
    if (!(error instanceof WireFault)) throw error
    const reason = `header: ${error.message}`
    throw new AssayError('MALFORMED_REQUEST', { api: api.name, version: start.version, reason }, { cause: error })
  }
}

/** A request frame with its length in front, as a row of buffers. */
export function requestFrame(
  api: AnyApi,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: readonly Buffer[]
): Buffer[] {
  const header = new Writer(64)
  header.int16(api.key)
  header.int16(version)
  header.int32(correlationId)
  header.string(clientId)
  if (version >= api.flexibleSince) header.uvarint(0)
  return framed([...header.buffers(), ...body])
}

/** A response frame with its length in front, as a row of buffers. */
export function responseFrame(api: AnyApi, version: number, correlationId: number, body: readonly Buffer[]): Buffer[] {
  const header = new Writer(16)
  header.int32(correlationId)
  if (hasFlexibleResponseHeader(api, version)) header.uvarint(0)
  return framed([...header.buffers(), ...body])
}

/** Where the body of a response frame (without its length) begins. */
export const responseBodyAt = (api: AnyApi, version: number): number => (hasFlexibleResponseHeader(api, version) ? 5 : 4)

/** ApiVersions keeps the old header: its reader does not yet know which versions the broker speaks. */
function hasFlexibleResponseHeader(api: AnyApi, version: number): boolean {
  return version >= api.flexibleSince && api.key !== API_VERSIONS
}

function framed(parts: readonly Buffer[]): Buffer[] {
  let size = 0
  for (const part of parts) size += part.length
  const length = Buffer.allocUnsafe(4)
  length.writeInt32BE(size)
  return [length, ...parts]
}

/** The API of a request, when it has a declaration and the version has a codec. */
export function declaredApi({ key, version }: RequestStart): AnyApi | undefined {
  const api = apiByKey(key)
  return api && version >= api.versions[0] && version <= api.versions[1] ? api : undefined
}
