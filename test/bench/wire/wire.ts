/** One connection of the load generator: requests out, answers in order, at as little cost to the shared processors as can be. */
import { connect } from 'node:net'
import { type AnyApi, decodeResponse, type ResponseOf, responseBodyAt } from '@assay/protocol'

export interface Wire {
  /** Writes a frame as it is, its length and header included; the answer to it has the type of `api` at `version`. */
  send<A extends AnyApi>(api: A, version: number, frame: Buffer): Promise<ResponseOf<A>>
  close(): void
}

interface Waiting {
  readonly api: AnyApi
  readonly version: number
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
}

/** `address` is HOST:PORT. Rejects when nothing listens there; what waits is rejected when the connection breaks. */
export async function openWire(address: string): Promise<Wire> {
  const at = address.lastIndexOf(':')
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const waiting: Waiting[] = []
  // Pieces are joined once, when the answer is whole: joining at every chunk would copy an answer of 1 MB some ten times.
  let held: Buffer[] = []
  let heldBytes = 0
  let neededBytes = 4
  const fail = (error: Error): void => {
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the broker closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    held.push(chunk)
    heldBytes += chunk.length
    if (heldBytes < neededBytes) return
    let bytes = held.length === 1 ? chunk : Buffer.concat(held, heldBytes)
    neededBytes = 4
    while (bytes.length >= 4) {
      neededBytes = 4 + bytes.readInt32BE(0)
      if (bytes.length < neededBytes) break
      const { api, version, resolve } = waiting.shift()!
      resolve(decodeResponse(api, version, bytes.subarray(4, neededBytes), responseBodyAt(api, version)) as never)
      bytes = bytes.subarray(neededBytes)
      neededBytes = 4
    }
    held = bytes.length > 0 ? [bytes] : []
    heldBytes = bytes.length
  })
  return {
    send(api, version, frame) {
      return new Promise((resolve, reject) => {
        if (socket.destroyed) {
          reject(new Error('the broker closed the connection'))
          return
        }
        waiting.push({ api, version, resolve, reject })
        socket.write(frame)
      })
    },
    close: () => void socket.destroy()
  }
}
