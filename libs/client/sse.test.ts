import { describe, expect, test } from 'vitest'
import { serverSentEvents } from './sse.ts'

async function* chunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const cases = [
  {
    name: 'events with IDs',
    text: 'id: 1\ndata: a\n\nid: 2\ndata: b\n\n',
    events: [
      ['1', 'a'],
      ['2', 'b']
    ]
  },
  {
    name: 'an ID holds until the next',
    text: 'id: 1\ndata: a\n\ndata: b\n\n',
    events: [
      ['1', 'a'],
      ['1', 'b']
    ]
  },
  { name: 'data of several lines', text: 'data: a\ndata:b\ndata\n\n', events: [['', 'a\nb\n']] },
  { name: 'comments and other fields', text: ':\n\nevent: x\nretry: 9\ndata: a\n\n:alive\n\n', events: [['', 'a']] },
  {
    name: 'other line ends',
    text: 'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
    events: [
      ['', 'a'],
      ['', 'b'],
      ['', 'c']
    ]
  },
  { name: 'letters of several bytes', text: 'data: zü€😀\n\n', events: [['', 'zü€😀']] },
  { name: 'an event that is cut off', text: 'data: a\n\ndata: b\n', events: [['', 'a']] }
]

describe('a stream is read the same, however it is cut into chunks', () => {
  test.each(cases)('$name', async ({ text, events }) => {
    for (const size of [1, 2, 3, 1000]) {
      const found: string[][] = []
      for await (const { id, data } of serverSentEvents(chunks(text, size))) found.push([id, data])
      expect(found, `chunks of ${size} bytes`).toEqual(events)
    }
  })
})
