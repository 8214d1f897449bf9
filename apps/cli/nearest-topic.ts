/** The topic that may have been meant, where the one that was named is not there. */
import type { TopicAdmin } from '@assay/client'
import { AssayError, isAssayError } from '@assay/errors'
import { nearestName } from '@assay/std'

/** A question about a topic; when there is no such topic, the answer names the one that may have been meant. */
export async function aboutTopic<T>(admin: TopicAdmin, topic: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!isAssayError(error, 'TOPIC_NOT_FOUND')) throw error
    const names = await admin.list({ internal: true }).catch(() => [])
    const near = nearestName(
      topic,
      names.map(({ name }) => name)
    )
    if (near === undefined) throw error
    throw new AssayError(
      'PEER_REFUSED',
      { what: 'The broker', status: 'UNKNOWN_TOPIC_OR_PARTITION', reason: `Topic '${topic}' not found. Did you mean ${near}?` },
      { cause: error }
    )
  }
}
