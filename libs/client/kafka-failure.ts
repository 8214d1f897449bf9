/** What the Kafka library throws, as errors of ours. It wraps what the broker said in layers; people need the innermost that has a code. */
import { AssayError, isAssayError } from '@assay/errors'
import { GenericError, MultipleErrors } from '@platformatic/kafka'

/**
 * PEER_REFUSED when the broker answered: `status` is the Kafka error (INVALID_RECORD), `reason` the broker's own text, that of each bad
 * record where it named them (KIP-467). UNREACHABLE when nobody answered. Anything else comes back as it was.
 */
export function kafkaFailure(
  error: unknown,
  { what, bootstrap }: { readonly what: string; readonly bootstrap: string }
): unknown {
  if (isAssayError(error)) return error
  const layers = [...unfold(error)]
  const answers = layers.filter(layer => typeof layer['apiId'] === 'string')
  // The library gives the texts of single records the code of an unknown error.
  const answered = answers.find(layer => layer['apiId'] !== 'UNKNOWN_SERVER_ERROR') ?? answers[0]
  if (answered) {
    return new AssayError(
      'PEER_REFUSED',
      { what, status: String(answered['apiId']), reason: reasonOf(answers, answered) },
      { cause: error }
    )
  }
  const lost = layers.find(layer => layer.code === 'PLT_KFK_NETWORK' || layer.code === 'PLT_KFK_TIMEOUT')
  if (lost) return new AssayError('UNREACHABLE', { what: 'The broker', where: bootstrap, reason: lost.message }, { cause: error })
  return error
}

function reasonOf(answers: readonly GenericError[], answered: GenericError): string {
  const ofRecords = answers.filter(layer => String(layer['path'] ?? '').includes('/record_errors/')).map(textOf)
  return ofRecords.length > 0 ? [...new Set(ofRecords)].join('; ') : textOf(answered)
}

const textOf = (layer: GenericError): string => String(layer['serverErrorMessage'] ?? layer.message)

function* unfold(error: unknown): Generator<GenericError> {
  if (!(error instanceof Error)) return
  if (MultipleErrors.isMultipleErrors(error)) for (const inner of error.errors) yield* unfold(inner)
  else if (GenericError.isGenericError(error)) {
    yield error as GenericError
    if (error.cause) yield* unfold(error.cause)
  }
}

/** Milliseconds before a retry: 100, 200, 400, up to 2,000. */
export const growingDelay = (_client: unknown, _operation: string, attempt: number): number =>
  Math.min(100 * 2 ** (attempt - 1), 2_000)
