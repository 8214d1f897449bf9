/** Deletes topics, by ID too from version 6 on. */
import { api } from '../api.ts'
import { array, int16, int32, string, uuid } from '../field.ts'

export const deleteTopics = api({
  name: 'DeleteTopics',
  key: 20,
  versions: [1, 6],
  flexibleSince: 4,
  request: {
    topics: array({
      name: string.nullable().default(null),
      topicId: uuid
    }).from(6),
    topicNames: array(string).upTo(5),
    timeoutMs: int32
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      name: string.nullable(6),
      topicId: uuid.from(6),
      errorCode: int16,
      errorMessage: string.nullable().from(5).default(null)
    })
  }
})
