/** ListPartitionReassignments: none, for there is nowhere to move to. */
import type { listPartitionReassignments } from '@assay/protocol'
import type { Handler } from './context.ts'

export const answerListPartitionReassignments: Handler<typeof listPartitionReassignments> = () => ({
  throttleTimeMs: 0,
  errorCode: 0,
  errorMessage: null,
  topics: []
})
