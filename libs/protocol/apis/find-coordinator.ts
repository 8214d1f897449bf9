/** Tells which broker coordinates a group or a transactional ID; several at once from version 4 on. */
import { api } from '../api.ts'
import { array, int8, int16, int32, string } from '../field.ts'

export const findCoordinator = api({
  name: 'FindCoordinator',
  key: 10,
  versions: [0, 6],
  flexibleSince: 3,
  request: {
    key: string.upTo(3),
    keyType: int8.from(1),
    coordinatorKeys: array(string).from(4)
  },
  response: {
    throttleTimeMs: int32.from(1),
    errorCode: int16.upTo(3),
    errorMessage: string.nullable().from(1).upTo(3),
    nodeId: int32.upTo(3),
    host: string.upTo(3),
    port: int32.upTo(3),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: string.nullable()
    }).from(4)
  }
})
