/**
 * A proxy that knows Kafka's frames: it holds requests of chosen APIs back for a while, and sends copies of them once more, late and over
 * another connection, as a network with retransmissions and reconnecting clients does. Answers to copies are thrown away.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface FrameProxyOptions {
  /** HOST:PORT of the broker. */
  readonly target: string
  /** What befalls a request. */
  readonly fateOf: (apiKey: number) => Fate
}

export interface Fate {
  readonly delayMs: number
  /** A copy arrives so long after the request itself; undefined sends none. */
  readonly copyAfterMs?: number
}

export interface FrameProxy {
  /** HOST:PORT for clients. */
  readonly address: string
  readonly delayed: number
  readonly copied: number
  close(): Promise<void>
}

export async function frameProxy({ target, fateOf }: FrameProxyOptions): Promise<FrameProxy> {
  const at = target.lastIndexOf(':')
  const [host, port] = [target.slice(0, at), Number(target.slice(at + 1))]
  const sockets = new Set<Socket>()
  let delayed = 0
  let copied = 0

  const open = (): Socket => keep(connect(port, host))
  function keep(socket: Socket): Socket {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    return socket
  }

  function sendCopy(frame: Buffer, afterMs: number): void {
    setTimeout(() => {
      const socket = open()
      socket.once('connect', () => socket.write(frame))
      socket.once('data', () => socket.destroy())
      setTimeout(() => socket.destroy(), 5000).unref()
    }, afterMs).unref()
  }

  const server = createServer(client => {
    keep(client)
    const upstream = open()
    upstream.pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    let held: Buffer = Buffer.alloc(0)
    // One after the other: what is held back holds back what follows on its connection.
    let last: Promise<void> = Promise.resolve()
    client.on('data', chunk => {
      held = Buffer.concat([held, chunk as Buffer])
      while (held.length >= 6 && held.length >= 4 + held.readInt32BE(0)) {
        const frame = held.subarray(0, 4 + held.readInt32BE(0))
        held = held.subarray(frame.length)
        const { delayMs, copyAfterMs } = fateOf(frame.readInt16BE(4))
        last = last.then(async () => {
          if (delayMs > 0) {
            delayed++
            await new Promise(resolve => setTimeout(resolve, delayMs))
          }
          upstream.write(frame)
          if (copyAfterMs === undefined) return
          copied++
          sendCopy(frame, copyAfterMs)
        })
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = server.address() as { port: number }
  return {
    address: `127.0.0.1:${own.port}`,
    get delayed() {
      return delayed
    },
    get copied() {
      return copied
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}
