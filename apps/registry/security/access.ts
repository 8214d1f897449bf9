/** What a route asks of its caller. Every route declares it, so that none is open by being forgotten. */
import type { Operation } from '@assay/security'

/**
 * - `open`: anybody, also one who does not say who he is.
 * - `listed`: any known caller; what the answer shows is filtered by `caller.may`.
 * - an operation: a caller who may do that to every resource that the request names.
 */
export type Access = 'open' | 'listed' | Operation
