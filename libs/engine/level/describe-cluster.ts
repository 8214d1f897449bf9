/** DescribeCluster: the one broker there is. */
import { type describeCluster, errorCode, type ResponseOf } from '@assay/protocol'
import { type Handler, OPERATIONS_NOT_TOLD } from './context.ts'

const [BROKERS, CONTROLLERS] = [1, 2]

export const answerDescribeCluster: Handler<typeof describeCluster> = (level, { body }) => {
  if (body.endpointType !== BROKERS) return refused(body.endpointType)
  const { host, port } = level.advertised()
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    endpointType: BROKERS,
    clusterId: level.clusterId,
    controllerId: level.nodeId,
    brokers: [{ brokerId: level.nodeId, host, port, rack: null, isFenced: false }],
    clusterAuthorizedOperations: OPERATIONS_NOT_TOLD
  }
}

/** There is no door for controllers alone: whoever looks for them is told that this is one of brokers (KIP-919). */
const refused = (endpointType: number): ResponseOf<typeof describeCluster> => ({
  throttleTimeMs: 0,
  errorCode: errorCode(endpointType === CONTROLLERS ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE'),
  errorMessage:
    endpointType === CONTROLLERS
      ? 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
      : `Unsupported endpoint type ${endpointType}`,
  endpointType: BROKERS,
  clusterId: '',
  controllerId: -1,
  brokers: [],
  clusterAuthorizedOperations: OPERATIONS_NOT_TOLD
})
