/** A client in a process of its own that takes one command a line as JSON, and answers with one line of JSON each: Python's and Java's. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TransactionClient } from './driver.ts'

export function commanded(command: string, args: readonly string[]): TransactionClient {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4096)
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let producers = 0

  async function ask<T>(...words: (string | number)[]): Promise<T> {
    child.stdin.write(`${JSON.stringify(words.map(String))}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`${words.join(' ')}: nothing was said\n${errors}`)
    const { answer, failed } = JSON.parse(value) as { answer?: T; failed?: string }
    if (failed !== undefined) throw new Error(failed)
    return answer as T
  }
  async function attempt(...words: (string | number)[]): Promise<string | undefined> {
    return (await ask<string | null>(...words)) ?? undefined
  }

  return {
    async producer(id, { timeoutMs = 60_000 } = {}) {
      const handle = ++producers
      await ask('producer', handle, id, timeoutMs)
      return {
        begin: () => attempt('begin', handle),
        send: (topic, value) => attempt('send', handle, topic, value),
        commit: () => attempt('commit', handle),
        abort: () => attempt('abort', handle),
        transform: ({ group, from, to, count, end }) => attempt('transform', handle, group, from, to, count, end),
        close: () => ask('close', handle)
      }
    },
    read: (topic, count, { committed }) => ask('read', topic, count, committed ? 'committed' : 'all'),
    async close() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    }
  }
}
