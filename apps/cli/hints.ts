/** What to do about a refusal, where the registry's own words do not say it. */
import { type RegistryClient, refusedWith, type TopicAdmin } from '@assay/client'
import { AssayError, isAssayError } from '@assay/errors'
import { nearestName } from '@assay/std'

const SUBJECT_NOT_FOUND = 40401

/** By error code of the registry; by HTTP status for the rest. */
const hints: Readonly<Record<number, string>> = {
  401: 'say who you are with --registry-user and --registry-password-file, or with --registry-token-file',
  403: 'the registry knows you and does not allow this; ask whoever keeps its access rules',
  405: 'this registry cannot do that',
  40404: 'it is soft-deleted already; --permanent deletes it for ever',
  40405: 'delete it without --permanent first',
  40406: 'it is soft-deleted already; --permanent deletes it for ever',
  40407: 'delete it without --permanent first',
  42206: 'assay schema references <subject>@<version> lists what refers to it'
}

/** Undefined when there is nothing to add. */
export function hintOf(error: AssayError): string | undefined {
  if (!isAssayError(error, 'PEER_REFUSED')) return undefined
  const code = Number(error.facts.status)
  return hints[code] ?? hints[code >= 10_000 ? Math.floor(code / 100) : code]
}

/** A question about a subject; when there is no such subject, the answer names the one that may have been meant. */
export async function aboutSubject<T>(registry: RegistryClient, subject: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!isAssayError(error, 'PEER_REFUSED') || !refusedWith(error, SUBJECT_NOT_FOUND)) throw error
    const near = nearestName(subject, await registry.subjects().catch(() => []))
    if (near === undefined || near === subject) throw error
    throw new AssayError(
      'PEER_REFUSED',
      { ...error.facts, reason: `${error.facts.reason} Did you mean ${near}?` },
      { cause: error }
    )
  }
}

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
