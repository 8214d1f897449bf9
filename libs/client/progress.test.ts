import { expect, test } from 'vitest'
import { progressOf } from './progress.ts'

/** Records that write down which of them were committed. */
function partitions() {
  const committed: string[] = []
  const record = (topic: string, partition: number, offset: number) => ({
    topic,
    partition,
    commit: () => {
      committed.push(`${topic}-${partition}@${offset}`)
    }
  })
  return { committed, record }
}

test('the last processed record of each partition is committed, once the interval is over', async () => {
  const { committed, record } = partitions()
  let now = 0
  const progress = progressOf(100, () => now)
  progress.processed(record('a', 0, 1))
  progress.processed(record('a', 0, 2))
  progress.processed(record('a', 1, 7))
  progress.processed(record('b', 0, 9))
  now = 99
  await progress.commitWhenDue()
  expect(committed).toEqual([])
  now = 100
  await progress.commitWhenDue()
  expect(committed).toEqual(['a-0@2', 'a-1@7', 'b-0@9'])
})

test('what was committed is not committed again, and the interval starts anew', async () => {
  const { committed, record } = partitions()
  let now = 0
  const progress = progressOf(100, () => now)
  progress.processed(record('a', 0, 1))
  now = 150
  await progress.commitWhenDue()
  progress.processed(record('a', 0, 2))
  now = 200
  await progress.commitWhenDue()
  expect(committed).toEqual(['a-0@1'])
  await progress.commit()
  await progress.commit()
  expect(committed).toEqual(['a-0@1', 'a-0@2'])
})
