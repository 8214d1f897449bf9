/** Deletes committed offsets of a group, of topics that it does not read. */
import { api } from '../api.ts'
import { array, int16, int32, NO_VERSION, string } from '../field.ts'

export const offsetDelete = api({
  name: 'OffsetDelete',
  key: 47,
  versions: [0, 0],
  flexibleSince: NO_VERSION,
  request: {
    groupId: string,
    topics: array({ name: string, partitions: array({ partitionIndex: int32 }) })
  },
  response: {
    errorCode: int16,
    throttleTimeMs: int32,
    topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode: int16 }) })
  }
})
