/** The heap of a served process as its own debugger tells it, after garbage has been collected: RSS says little of what is still held. */
import type { Served } from '../served.ts'

/** What the process must be started with. */
export const heapEnvironment = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

const ANSWER_TIMEOUT_MS = 60_000

export interface HeapView {
  /** What is left in use when all garbage is collected; buffers, such as the cache of the journal's end, are outside of it. */
  usedMiB(): Promise<number>
  close(): void
}

interface Reply {
  readonly id?: number
  readonly result?: { readonly usedSize?: number }
  readonly error?: { readonly message: string }
}

export async function openHeapView(served: Served): Promise<HeapView> {
  const address = [...served.log().matchAll(/Debugger listening on (ws:\S+)/g)].at(-1)?.[1]
  if (address === undefined) throw new Error('the process was started without heapEnvironment')
  const socket = new WebSocket(address)
  const waiting = new Map<number, PromiseWithResolvers<Reply>>()
  let lastId = 0
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply
    if (reply.id !== undefined) waiting.get(reply.id)?.resolve(reply)
  })
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`no debugger answers at ${address}`)))
  })

  async function ask(method: string): Promise<NonNullable<Reply['result']>> {
    const id = ++lastId
    const answer = Promise.withResolvers<Reply>()
    waiting.set(id, answer)
    const timer = setTimeout(() => answer.reject(new Error(`${method} was not answered`)), ANSWER_TIMEOUT_MS)
    socket.send(JSON.stringify({ id, method }))
    try {
      const { result, error } = await answer.promise
      if (error) throw new Error(`${method}: ${error.message}`)
      return result ?? {}
    } finally {
      clearTimeout(timer)
      waiting.delete(id)
    }
  }

  return {
    async usedMiB() {
      await ask('HeapProfiler.collectGarbage')
      const { usedSize = 0 } = await ask('Runtime.getHeapUsage')
      return usedSize / 2 ** 20
    },
    close: () => socket.close()
  }
}
