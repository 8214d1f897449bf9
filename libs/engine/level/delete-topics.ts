/** DeleteTopics: by name or by ID. The committed offsets of a topic go with it, in the same write. */
import { AssayError } from '@assay/errors'
import { type deleteTopics, errorCode, type ResponseOf } from '@assay/protocol'
import { type Handler, NO_TOPIC_ID } from './context.ts'
import { refusalOf } from './refusal.ts'
import type { TopicRef } from './topics.ts'

type TopicAnswer = ResponseOf<typeof deleteTopics>['responses'][number]

export const answerDeleteTopics: Handler<typeof deleteTopics> = async (level, request, session) => {
  const { version, body } = request
  const quota = level.mutations.of(request, session, { strictSince: 5 })
  const asked: { name: string | null; topicId: string }[] =
    version >= 6 ? body.topics : body.topicNames.map(name => ({ name, topicId: NO_TOPIC_ID }))
  const refs = asked.map(({ name, topicId }): TopicRef => (name === null ? { id: topicId } : { name }))
  const outcomes = await level.topics.remove(refs, { spend: quota.spend })
  const responses = outcomes.map((outcome, at): TopicAnswer => {
    const { name, topicId } = asked[at]!
    if (!(outcome instanceof AssayError)) return { name: outcome.name, topicId: outcome.id, errorCode: 0, errorMessage: null }
    const refused = refusalOf(outcome)
    const unknownId = name === null && outcome.code === 'TOPIC_NOT_FOUND'
    return { name, topicId, ...refused, ...(unknownId ? { errorCode: errorCode('UNKNOWN_TOPIC_ID') } : {}) }
  })
  return { throttleTimeMs: quota.waitMs, responses }
}
