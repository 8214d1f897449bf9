/** CreatePartitions: more partitions for a topic; fewer cannot be. */
import { AssayError } from '@assay/errors'
import type { createPartitions, ResponseOf } from '@assay/protocol'
import type { Handler } from './context.ts'
import { checkBrokers } from './create-topics.ts'
import { refusalOf } from './refusal.ts'

type TopicAnswer = ResponseOf<typeof createPartitions>['results'][number]

export const answerCreatePartitions: Handler<typeof createPartitions> = async (level, request, session) => {
  const { body } = request
  const quota = level.mutations.of(request, session, { strictSince: 3 })
  const answers = new Map<string, TopicAnswer>()
  const wanted: { name: string; count: number }[] = []
  for (const { name, count, assignments } of body.topics) {
    try {
      if (assignments !== null) {
        const more = count - (level.topics.get({ name })?.partitionCount ?? 0)
        if (assignments.length !== more) {
          throw new AssayError('INVALID_REPLICA_ASSIGNMENT', {
            reason: `${assignments.length} assignments for ${more} new partitions`
          })
        }
        for (const { brokerIds } of assignments) checkBrokers(level, brokerIds)
      }
      wanted.push({ name, count })
    } catch (error) {
      answers.set(name, { name, ...refusalOf(error) })
    }
  }
  const outcomes = await level.topics.grow(wanted, { validateOnly: body.validateOnly, spend: quota.spend })
  for (const [at, outcome] of outcomes.entries()) {
    const { name } = wanted[at]!
    const answer = outcome instanceof AssayError ? refusalOf(outcome) : { errorCode: 0, errorMessage: null }
    answers.set(name, { name, ...answer })
  }
  return { throttleTimeMs: quota.waitMs, results: [...answers.values()] }
}
