/** Questions about a subject that may be mistyped. */
import { type RegistryClient, refusedWith } from '@assay/client'
import { AssayError, isAssayError } from '@assay/errors'
import { nearestName } from '@assay/std'

const SUBJECT_NOT_FOUND = 40401

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
