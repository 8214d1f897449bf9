/** What becomes of the batches of an idempotent producer, told as histories: `epoch:sequence+records`, batch after batch. */
import type { Case, Kit } from './case.ts'

const MAX = 0x7fffffff

/** Name, what is sent, and the offset or error of each. */
const histories: readonly (readonly [name: string, sent: string, answers: string])[] = [
  ['a new producer', '0:0+3 0:3+2 0:5+1', '0 3 5'],
  ['one that comes in the middle of its life', '4:170+3 4:173+1', '0 3'],
  ['the same batch again', '0:0+3 0:0+3 0:3+2 0:0+3 0:3+2', '0 0 3 0 3'],
  ['the fifth batch back', '0:0+1 0:1+1 0:2+1 0:3+1 0:4+1 0:0+1', '0 1 2 3 4 0'],
  ['the sixth batch back', '0:0+1 0:1+1 0:2+1 0:3+1 0:4+1 0:5+1 0:0+1', '0 1 2 3 4 5 OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['a gap, then what was missing', '0:0+3 0:4+1 0:3+1', '0 OUT_OF_ORDER_SEQUENCE_NUMBER 3'],
  ['half of a batch', '0:0+4 0:0+2 0:2+2', '0 OUT_OF_ORDER_SEQUENCE_NUMBER OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['an older epoch', '2:0+3 1:3+1', '0 INVALID_PRODUCER_EPOCH'],
  ['a newer epoch begins at 0', '0:0+3 1:0+1 0:3+1', '0 3 INVALID_PRODUCER_EPOCH'],
  ['a newer epoch begins elsewhere', '0:0+3 1:3+1 1:0+1', '0 OUT_OF_ORDER_SEQUENCE_NUMBER 3'],
  ['the same sequence under a newer epoch', '0:0+3 1:0+2 1:0+2 1:0+3', '0 3 3 OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['round the end', `0:${MAX}+1 0:0+1 0:${MAX}+1`, '0 1 0'],
  ['a batch across the end', `0:${MAX - 1}+4 0:2+1 0:${MAX - 1}+4`, '0 4 0'],
  ['one too far round the end', `0:${MAX}+1 0:1+1`, '0 OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['no sequence', '0:-1+1', 'INVALID_RECORD'],
  [
    'records deleted, then the last batch again, a gap, and the next',
    '0:0+1 0:1+1 x 0:1+1 0:5+1 0:2+1',
    '0 1 - 1 OUT_OF_ORDER_SEQUENCE_NUMBER 2'
  ]
]

async function send(kit: Kit, sent: string): Promise<string> {
  const topic = await kit.topic()
  const producerId = await kit.producerId()
  const answers: string[] = []
  for (const one of sent.split(' ')) {
    if (one === 'x') {
      await kit.deleteRecords(topic, -1)
      answers.push('-')
      continue
    }
    const [, epoch, sequence, count] = /^(\d+):(-?\d+)\+(\d+)$/.exec(one)!.map(Number) as [number, number, number, number]
    const records = Array.from({ length: count }, () => ({ key: null, value: Buffer.from('a') }))
    const { error, baseOffset } = await kit.send(topic, { producerId, producerEpoch: epoch, baseSequence: sequence, records })
    answers.push(error === 'NONE' ? String(baseOffset) : error)
  }
  return answers.join(' ')
}

export const sequenceCases: readonly Case[] = [
  ...histories.map(([name, sent, answer]): Case => ({ name: `${name}: ${sent}`, ask: kit => send(kit, sent), answer })),
  {
    name: 'two producers of one partition count apart, and one producer in two partitions does',
    ask: async kit => {
      const [first, second] = [await kit.topic(), await kit.topic()]
      const [one, other] = [await kit.producerId(), await kit.producerId()]
      const sent = [
        [first, one, 0],
        [first, other, 0],
        [second, one, 0],
        [first, one, 1],
        [first, other, 1]
      ] as const
      const offsets: number[] = []
      for (const [topic, producerId, baseSequence] of sent) {
        offsets.push((await kit.send(topic, { producerId, producerEpoch: 0, baseSequence })).baseOffset)
      }
      return offsets
    },
    answer: [0, 1, 0, 2, 3]
  },
  {
    name: 'a producer without an epoch',
    ask: async kit => (await kit.send(await kit.topic(), { producerId: 5, producerEpoch: -1, baseSequence: 0 })).error,
    answer: 'INVALID_RECORD',
    kafka: { answer: 'NONE', why: 'a producer ID comes with an epoch; whoever sends none has a fault' }
  }
]
