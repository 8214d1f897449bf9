/** Media types: which of ours a client gets (RFC 9110, 12.5.1), and which bodies are read. */

/** In the order of preference: what a client gets that takes anything. */
export const JSON_TYPES = [
  'application/vnd.schemaregistry.v1+json',
  'application/vnd.schemaregistry+json',
  'application/json'
] as const
/** For routes that can follow: what a client gets that asks for it by name. */
export const EVENT_STREAM = 'text/event-stream'
export const PREFERRED_TYPE = JSON_TYPES[0]
/** A body without a type is read, too, as Confluent's server does. */
export const BODY_TYPES: readonly string[] = [...JSON_TYPES, 'application/octet-stream']

interface MediaRange {
  readonly type: string
  readonly quality: number
}

/** The offered type with the highest quality, the first of equals; undefined when the client takes none. */
export function negotiate(accept: string | undefined, offered: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === '') return offered[0]
  const ranges = accept.split(',', 100).map(readRange)
  let best: string | undefined
  let bestQuality = 0
  for (const type of offered) {
    const quality = qualityOf(type, ranges)
    if (quality <= bestQuality) continue
    best = type
    bestQuality = quality
  }
  return best
}

function readRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';')
  const q = parameters.map(parameter => parameter.trim().toLowerCase()).find(parameter => parameter.startsWith('q='))
  const quality = q === undefined ? 1 : Number(q.slice(2))
  return { type: type.trim().toLowerCase(), quality: quality >= 0 && quality <= 1 ? quality : 0 }
}

/** The most specific range that holds the type decides. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  const group = `${type.slice(0, type.indexOf('/'))}/*`
  for (const name of [type, group, '*/*']) {
    const fitting = ranges.filter(range => range.type === name)
    if (fitting.length > 0) return Math.max(...fitting.map(range => range.quality))
  }
  return 0
}

/** Whether a request body of this Content-Type is read. */
export function isReadable(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType.trim() === '') return true
  return BODY_TYPES.includes((contentType.split(';', 1)[0] ?? '').trim().toLowerCase())
}
