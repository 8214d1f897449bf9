/** A proxy before the Kafka door that keeps every request frame passing through: what real clients really send. */
import { connect, createServer, type Socket } from 'node:net'

export interface Recording {
  /** Frames without their length, in the order in which they came. */
  readonly frames: readonly Buffer[]
  close(): Promise<void>
}

/** Listens on the port that the broker advertises; `target` is the port on which it really listens. */
export async function recordFrames(port: number, target: number): Promise<Recording> {
  const frames: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const broker = connect(target, '127.0.0.1')
    let held = Buffer.alloc(0)
    client.on('data', chunk => {
      held = Buffer.concat([held, chunk as Buffer])
      while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
        const end = 4 + held.readInt32BE(0)
        frames.push(Buffer.from(held.subarray(4, end)))
        held = held.subarray(end)
      }
      broker.write(chunk)
    })
    broker.on('data', chunk => client.write(chunk))
    for (const [socket, other] of [
      [client, broker],
      [broker, client]
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    frames,
    close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      return closed
    }
  }
}
