/** The backup of a running server, as it comes. */
import { type HttpOptions, httpPeer } from './http.ts'

const MEDIA_TYPE = 'application/vnd.assay.backup'

/**
 * The bytes of a backup of all that the server has acknowledged before the call. Fails with UNREACHABLE, also when the connection breaks
 * off, and PEER_REFUSED.
 */
export async function openBackup(options: HttpOptions, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const peer = httpPeer(options, 'The server', 'application/json')
  const response = await peer.open({ path: ['v1', 'backup'] }, { accept: MEDIA_TYPE, ...(signal && { signal }) })
  return chunksOf(response, peer.lost)
}

async function* chunksOf(response: Response, lost: (error: unknown) => Error): AsyncGenerator<Uint8Array> {
  const body = response.body?.[Symbol.asyncIterator]()
  try {
    for (;;) {
      let chunk: IteratorResult<Uint8Array> | undefined
      try {
        chunk = await body?.next()
      } catch (error) {
        throw lost(error)
      }
      if (chunk === undefined || chunk.done) return
      yield chunk.value
    }
  } finally {
    // Whoever does not want the rest does not have it sent.
    await body?.return?.().catch(() => {})
  }
}
