/** What to do about a refusal, where the registry's own words do not say it. */
import { type AssayError, isAssayError } from '@assay/errors'

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
