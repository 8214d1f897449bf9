/**
 * Sockets that all read into one piece of memory. Node gives every read 64 KiB of its own, and at hundreds of megabytes a second their
 * collection is half of what a broker does. Node can read into memory that it is given (`onread`), but has no way to say so for a
 * socket that a server accepts: so the accepted connection is handed over to a socket that was made with it. Where Node's insides are not
 * what this file takes them for, the accepted socket stays as it is and reads as it always did.
 */
import { Socket } from 'node:net'

/** How much is read at a time. */
const READ_BYTES = 256 << 10

/** Used by all sockets one after the other: what was read is taken before the next read begins. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES)

interface Accepted {
  _handle: { useUserBuffer?: unknown; reading?: boolean } | null
  _server?: unknown
  server?: unknown
}

/**
 * The connection of `accepted`, which was paused before it read anything and must not be used any more. `receive` gets all that comes; the
 * bytes are good until it returns.
 */
export function readShared(accepted: Socket, receive: (chunk: Uint8Array) => void): Socket {
  const from = accepted as unknown as Accepted
  if (typeof from._handle?.useUserBuffer !== 'function' || !('_server' in from)) {
    accepted.on('data', receive as (chunk: Buffer) => void)
    return accepted
  }
  const onread = {
    buffer: shared,
    callback(bytes: number, buffer: Uint8Array) {
      receive(buffer.subarray(0, bytes))
      return true
    }
  }
  const socket = new Socket({ handle: from._handle, onread } as object)
  const to = socket as unknown as Accepted
  // The server counts the connection until the socket that names it is closed.
  to._server = from._server
  to.server = from.server
  from._handle = null
  from._server = null
  from.server = null
  socket.resume()
  return socket
}
