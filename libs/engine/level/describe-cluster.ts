/** DescribeCluster: the one broker there is. */
import { type describeCluster, errorCode } from '@assay/protocol'
import { type Handler, OPERATIONS_NOT_TOLD } from './context.ts'

const BROKERS = 1

export const answerDescribeCluster: Handler<typeof describeCluster> = (level, { body }) => {
  const { host, port } = level.advertised()
  const known = body.endpointType === BROKERS
  return {
    throttleTimeMs: 0,
    errorCode: known ? 0 : errorCode('UNSUPPORTED_ENDPOINT_TYPE'),
    errorMessage: known ? null : 'This is the endpoint of a broker; there are no separate controllers.',
    endpointType: BROKERS,
    clusterId: level.clusterId,
    controllerId: level.nodeId,
    brokers: known ? [{ brokerId: level.nodeId, host, port, rack: null, isFenced: false }] : [],
    clusterAuthorizedOperations: OPERATIONS_NOT_TOLD
  }
}
