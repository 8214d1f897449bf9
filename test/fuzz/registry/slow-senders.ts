/** Connections that send a request byte by byte and never come to its end: they must cost the others nothing, and be cut off in time. */
import { connect, type Socket } from 'node:net'

export interface SlowSenders {
  /** Those that the server has not closed yet. */
  openCount(): number
  /** Resolves when the server has closed all of them. */
  readonly allClosed: Promise<void>
  close(): void
}

const BYTE_EVERY_MS = 100

const beginnings = [
  'GET /subjects HTTP/1.1\r\nHost: localhost\r\nX-Slow: ',
  'POST /subjects/slow/versions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{"schema":"',
  'POST /subjects/slow/versions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n{"schema":"',
  'G'
]

export function slowSenders(address: string, count: number): SlowSenders {
  const { hostname, port } = new URL(`http://${address}`)
  const { promise: allClosed, resolve } = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  for (let at = 0; at < count; at++) {
    const socket = connect(Number(port), hostname)
    sockets.add(socket)
    socket.on('error', () => {})
    // What the server says before it closes is read, or the close would not be seen.
    socket.resume()
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) resolve()
    })
    socket.write(beginnings[at % beginnings.length]!)
  }
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('a')
  }, BYTE_EVERY_MS)
  return {
    openCount: () => sockets.size,
    allClosed,
    close() {
      clearInterval(timer)
      for (const socket of sockets) socket.destroy()
    }
  }
}
