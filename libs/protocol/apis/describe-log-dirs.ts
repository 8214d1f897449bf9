/** Tells how much each partition occupies in the directories of a broker (KIP-113), and how much room they have (KIP-827). */
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, string } from '../field.ts'

export const describeLogDirs = api({
  name: 'DescribeLogDirs',
  key: 35,
  versions: [1, 5],
  flexibleSince: 2,
  request: {
    topics: array({
      topic: string,
      partitions: array(int32)
    }).nullable()
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.from(3),
    results: array({
      errorCode: int16,
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          partitionSize: int64,
          offsetLag: int64,
          isFutureKey: bool
        })
      }),
      totalBytes: int64.from(4).default(-1n),
      usableBytes: int64.from(4).default(-1n),
      isCordoned: bool.from(5)
    })
  }
})
