import { describe, expect, test } from 'vitest'
import { inPages } from './pages.ts'

const items = (count: number): string[] => Array.from({ length: count }, (_, index) => `item ${index}`)

describe('every item comes once, whatever the peer does about pages', () => {
  const peers = {
    'answers what was asked for': (all: string[]) => (offset: number, limit: number) => all.slice(offset, offset + limit),
    'has a smaller limit of its own': (all: string[]) => (offset: number, limit: number) =>
      all.slice(offset, offset + Math.min(limit, 3)),
    'knows no pages': (all: string[]) => () => all
  }
  for (const [name, peer] of Object.entries(peers)) {
    test.each([0, 1, 3, 4, 5, 8, 9])(`${name}: %i items`, async count => {
      const all = items(count)
      const found: string[] = []
      for await (const item of inPages({ start: 0, pageSize: 4 }, async (offset, limit) => peer(all)(offset, limit)))
        found.push(item)
      expect(found).toEqual(all)
    })
  }
})

test('no more is asked for than was wanted', async () => {
  const asked: string[] = []
  const found: string[] = []
  const pages = inPages({ start: 2, most: 5, pageSize: 4 }, async (offset, limit) => {
    asked.push(`${offset}+${limit}`)
    return items(20).slice(offset, offset + limit)
  })
  for await (const item of pages) found.push(item)
  expect(found).toEqual(items(7).slice(2))
  expect(asked).toEqual(['2+4', '6+1'])
})
