/** FindCoordinator: of every group and transactional ID it is this node. */
import { errorCode, type findCoordinator } from '@assay/protocol'
import type { Handler } from './context.ts'

/** Kafka's `CoordinatorType`. */
const GROUP = 0
const TRANSACTION = 1

export const answerFindCoordinator: Handler<typeof findCoordinator> = (level, { version, body }) => {
  const { host, port } = level.advertised()
  const known = body.keyType === GROUP || body.keyType === TRANSACTION
  const place = known
    ? { errorCode: 0, errorMessage: null, nodeId: level.nodeId, host, port }
    : {
        errorCode: errorCode('INVALID_REQUEST'),
        errorMessage: `There are no coordinators of type ${body.keyType}.`,
        nodeId: -1,
        host: '',
        port: -1
      }
  const many = version >= 4
  return {
    throttleTimeMs: 0,
    ...(many ? { errorCode: 0, errorMessage: null, nodeId: -1, host: '', port: -1 } : place),
    coordinators: many ? body.coordinatorKeys.map(key => ({ key, ...place })) : []
  }
}
