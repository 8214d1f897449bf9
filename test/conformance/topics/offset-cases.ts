/** Offsets: by time, first and last, after records were deleted; leader epochs. */
import type { Case, Kit } from './case.ts'

/** Ten records, 10 ms apart from time 1,000 on. */
async function ten(kit: Kit): Promise<string> {
  const topic = await kit.topic()
  for (let at = 0; at < 10; at++) await kit.send(topic, { baseTimestampMs: 1000 + at * 10 })
  return topic
}

const inTurn = async (questions: readonly (() => Promise<unknown>)[]): Promise<unknown[]> => {
  const answers: unknown[] = []
  for (const question of questions) answers.push(await question())
  return answers
}

const [LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING] = [-1, -2, -3, -4, -5, -6] as const

export const offsetCases: readonly Case[] = [
  {
    name: 'an empty partition begins and ends at 0',
    ask: async kit => {
      const topic = await kit.topic()
      return inTurn([LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, 0].map(at => () => kit.offsetAt(topic, at)))
    },
    answer: ['0', '0', 'none', '0', 'none', 'none']
  },
  {
    name: 'first, last, newest, and the first record that is late enough',
    ask: async kit => {
      const topic = await ten(kit)
      const times = [LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING, 0, 1005, 1090, 1091]
      return inTurn(times.map(at => () => kit.offsetAt(topic, at)))
    },
    answer: ['10', '0', '9@1090', '0', 'none', 'none', '0@1000', '1@1010', '9@1090', 'none']
  },
  {
    name: 'read committed sees as much while no transaction is open',
    ask: async kit => {
      const topic = await ten(kit)
      return inTurn([LATEST, MAX_TIMESTAMP, 1005].map(at => () => kit.offsetAt(topic, at, { committed: true })))
    },
    answer: ['10', '9@1090', '1@1010']
  },
  {
    name: 'a special time of a later version is not served to an earlier one',
    ask: async kit => {
      const topic = await ten(kit)
      const asked = [
        [MAX_TIMESTAMP, 6],
        [MAX_TIMESTAMP, 7],
        [EARLIEST_LOCAL, 7],
        [EARLIEST_LOCAL, 8],
        [LATEST_TIERED, 8],
        [LATEST_TIERED, 9],
        [EARLIEST_PENDING, 10],
        [-7, 11]
      ] as const
      return inTurn(
        asked.map(
          ([at, version]) =>
            () =>
              kit.offsetAt(topic, at, { version })
        )
      )
    },
    answer: [
      'UNSUPPORTED_VERSION',
      '9@1090',
      'UNSUPPORTED_VERSION',
      '0',
      'UNSUPPORTED_VERSION',
      'none',
      'UNSUPPORTED_VERSION',
      'UNSUPPORTED_VERSION'
    ]
  },
  {
    name: 'an offset of a partition that is not there, or under another epoch',
    ask: async kit => {
      const topic = await ten(kit)
      return inTurn([
        () => kit.offsetAt(topic, LATEST, { partition: 5 }),
        () => kit.offsetAt('nowhere', LATEST),
        () => kit.offsetAt(topic, LATEST, { epoch: 0 }),
        () => kit.offsetAt(topic, LATEST, { epoch: 1 })
      ])
    },
    answer: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION', '10', 'UNKNOWN_LEADER_EPOCH']
  },
  ...[0, 1, 2].map(
    (version): Case => ({
      name: `records are deleted up to an offset, v${version}`,
      ask: async kit => {
        const topic = await ten(kit)
        return inTurn([
          () => kit.deleteRecords(topic, 4, { version }),
          () => kit.deleteRecords(topic, 2, { version }),
          () => kit.deleteRecords(topic, 11, { version }),
          () => kit.deleteRecords(topic, -2, { version }),
          () => kit.offsetAt(topic, EARLIEST),
          () => kit.offsetAt(topic, EARLIEST_LOCAL),
          () => kit.offsetAt(topic, 0),
          () => kit.fetch(topic, { offset: 3 }),
          () => kit.fetch(topic, { offset: 4 }),
          async () => (await kit.send(topic, {})).logStartOffset,
          () => kit.deleteRecords(topic, -1, { version }),
          () => kit.offsetAt(topic, EARLIEST)
        ])
      },
      answer: [
        'begins at 4',
        'begins at 4',
        'OFFSET_OUT_OF_RANGE',
        'OFFSET_OUT_OF_RANGE',
        '4',
        '4',
        '4@1040',
        { error: 'OFFSET_OUT_OF_RANGE', batches: 0 },
        { error: 'NONE', batches: 6 },
        4,
        'begins at 11',
        '11'
      ]
    })
  ),
  {
    name: 'records of nobody cannot be deleted',
    ask: async kit => {
      const topic = await kit.topic()
      return inTurn([() => kit.deleteRecords(topic, 0, { partition: 5 }), () => kit.deleteRecords('nowhere', 0)])
    },
    answer: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION']
  },
  ...(
    [
      ['compact', 'POLICY_VIOLATION'],
      ['compact,delete', 'begins at 1'],
      ['', 'begins at 1']
    ] as const
  ).map(
    ([policy, answer]): Case => ({
      name: `deleting records under cleanup.policy '${policy}'`,
      ask: async kit => {
        const topic = await kit.topic({ 'cleanup.policy': policy })
        await kit.send(topic, { records: [{ key: Buffer.from('k'), value: null }] })
        return kit.deleteRecords(topic, 1)
      },
      answer
    })
  ),
  {
    name: 'the newest record when it was deleted',
    ask: async kit => {
      const topic = await kit.topic()
      for (const baseTimestampMs of [3000, 1000, 2000]) await kit.send(topic, { baseTimestampMs })
      await kit.deleteRecords(topic, 1)
      return kit.offsetAt(topic, MAX_TIMESTAMP)
    },
    answer: '2@2000',
    kafka: { answer: '0@3000', why: 'Kafka tells of a deleted record while its segment is still there' }
  },
  ...[2, 3, 4].map(
    (version): Case => ({
      name: `where an epoch ends, v${version}`,
      ask: async kit => {
        const topic = await ten(kit)
        return inTurn([
          () => kit.epochEnd(topic, 0, { version }),
          () => kit.epochEnd(topic, 0, { current: 0, version }),
          () => kit.epochEnd(topic, 1, { version }),
          () => kit.epochEnd(topic, -1, { version }),
          () => kit.epochEnd(topic, 0, { current: 1, version }),
          () => kit.epochEnd(topic, 0, { current: -2, version }),
          () => kit.epochEnd(topic, 0, { partition: 4, version }),
          () => kit.epochEnd('nowhere', 0, { version })
        ])
      },
      answer: [
        '0 ends at 10',
        '0 ends at 10',
        '-1 ends at -1',
        '-1 ends at -1',
        'UNKNOWN_LEADER_EPOCH',
        'FENCED_LEADER_EPOCH',
        'UNKNOWN_TOPIC_OR_PARTITION',
        'UNKNOWN_TOPIC_OR_PARTITION'
      ]
    })
  ),
  {
    name: 'a fetch under another epoch, and one that has read what is not there',
    ask: async kit => {
      const topic = await ten(kit)
      const from = [
        { offset: 9, currentEpoch: 0 },
        { offset: 9, currentEpoch: 1 },
        { offset: 9, lastEpoch: 0 },
        { offset: 10, lastEpoch: 0 },
        { offset: 20, lastEpoch: 0 },
        { offset: 20 },
        { offset: 9, lastEpoch: 1 }
      ]
      return inTurn(from.map(one => () => kit.fetch(topic, one)))
    },
    answer: [
      { error: 'NONE', batches: 1 },
      { error: 'UNKNOWN_LEADER_EPOCH', batches: 0 },
      { error: 'NONE', batches: 1 },
      { error: 'NONE', batches: 0 },
      { error: 'NONE', batches: 0, diverging: '0/10' },
      { error: 'OFFSET_OUT_OF_RANGE', batches: 0 },
      { error: 'OFFSET_OUT_OF_RANGE', batches: 0 }
    ]
  }
]
