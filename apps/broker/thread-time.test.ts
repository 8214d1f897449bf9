/** Whose time it is: pieces of requests that take turns on one thread, with a clock that runs only while something works. */
import { afterEach, expect, test } from 'vitest'
import { type ThreadTime, threadTime, type Work } from './thread-time.ts'

let nowMs = 0
const busy = (ms: number): void => {
  nowMs += ms
}
let time: ThreadTime | undefined
afterEach(() => time?.stop())

/** Resolves in a turn of its own: meanwhile others are worked on. */
const elsewhere = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('pieces of a request are summed up, what others do between them is not', async () => {
  time = threadTime(() => nowMs)
  const works: Work[] = [{ ms: 0 }, { ms: 0 }, { ms: 0 }]
  const asked = works.map((work, at) =>
    time!.run(work, async () => {
      const cost = 10 ** at
      busy(cost)
      await null
      busy(cost)
      await elsewhere()
      busy(cost)
      await Promise.all([1, 2].map(async () => elsewhere().then(() => busy(cost))))
    })
  )
  busy(100_000)
  await elsewhere()
  busy(100_000)
  await Promise.all(asked)
  busy(100_000)
  await elsewhere()
  expect(works.map(({ ms }) => ms)).toEqual([5, 50, 500])
})

test('a request that another one lets go on pays for itself', async () => {
  time = threadTime(() => nowMs)
  const [first, second]: [Work, Work] = [{ ms: 0 }, { ms: 0 }]
  let inner: Promise<void> | undefined
  await time.run(first, async () => {
    busy(1)
    await null
    busy(1)
    inner = time!.run(second, async () => {
      busy(10)
      await null
      busy(10)
    })
    busy(1)
  })
  await inner
  expect([first.ms, second.ms]).toEqual([3, 20])
})

test('what fails is paid for, too, and after the stop nothing is', async () => {
  const stopped = threadTime(() => nowMs)
  const work: Work = { ms: 0 }
  const failing = (): never => {
    busy(7)
    throw new Error('no')
  }
  expect(() => stopped.run(work, failing)).toThrow('no')
  const going = stopped.run(work, async () => {
    await elsewhere()
    busy(1000)
  })
  stopped.stop()
  await going
  expect(work.ms).toBe(7)
})
