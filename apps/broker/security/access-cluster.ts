/** What the requests about the cluster as a whole ask of the caller: ACLs, users, quotas, and how the cluster is run. */
import {
  alterClientQuotas,
  alterUserScramCredentials,
  createAcls,
  deleteAcls,
  describeAcls,
  describeClientQuotas,
  describeCluster,
  describeUserScramCredentials,
  type RequestOf,
  type ResponseOf
} from '@assay/protocol'
import { CLUSTER_REFUSED, clusterRow, openRow, type Row, tellingRow } from './access.ts'
import { clusterMask, REFUSED } from './access-topics.ts'
import { OPERATIONS_NOT_TOLD } from './kafka-acl.ts'

const refusal = { errorCode: CLUSTER_REFUSED, errorMessage: REFUSED }

const describeClusterRow = tellingRow<RequestOf<typeof describeCluster>, ResponseOf<typeof describeCluster>>(
  describeCluster.key,
  describeCluster.name,
  async asked => {
    const told = asked.body.includeClusterAuthorizedOperations
    return { ...(await asked.pass()), clusterAuthorizedOperations: told ? clusterMask(asked) : OPERATIONS_NOT_TOLD }
  }
)

const describeAclsRow = clusterRow<RequestOf<typeof describeAcls>, ResponseOf<typeof describeAcls>>(
  describeAcls.key,
  describeAcls.name,
  'describe',
  asked => asked.blank(refusal)
)
const createAclsRow = clusterRow<RequestOf<typeof createAcls>, ResponseOf<typeof createAcls>>(
  createAcls.key,
  createAcls.name,
  'alter',
  asked => asked.blank({ results: asked.body.creations.map(() => ({ ...refusal })) })
)
const deleteAclsRow = clusterRow<RequestOf<typeof deleteAcls>, ResponseOf<typeof deleteAcls>>(
  deleteAcls.key,
  deleteAcls.name,
  'alter',
  asked => asked.blank({ filterResults: asked.body.filters.map(() => ({ ...refusal, matchingAcls: [] })) })
)
const describeScramRow = clusterRow<
  RequestOf<typeof describeUserScramCredentials>,
  ResponseOf<typeof describeUserScramCredentials>
>(describeUserScramCredentials.key, describeUserScramCredentials.name, 'describe', asked => asked.blank(refusal))
const alterScramRow = clusterRow<RequestOf<typeof alterUserScramCredentials>, ResponseOf<typeof alterUserScramCredentials>>(
  alterUserScramCredentials.key,
  alterUserScramCredentials.name,
  'alter',
  asked => {
    const { deletions, upsertions } = asked.body
    const users = new Set([...deletions, ...upsertions].map(({ name }) => name))
    return asked.blank({ results: [...users].map(user => ({ user, ...refusal })) })
  }
)
const describeQuotasRow = clusterRow<RequestOf<typeof describeClientQuotas>, ResponseOf<typeof describeClientQuotas>>(
  describeClientQuotas.key,
  describeClientQuotas.name,
  'describe-configs',
  asked => asked.blank({ ...refusal, entries: null })
)
const alterQuotasRow = clusterRow<RequestOf<typeof alterClientQuotas>, ResponseOf<typeof alterClientQuotas>>(
  alterClientQuotas.key,
  alterClientQuotas.name,
  'alter-configs',
  asked => asked.blank({ entries: asked.body.entries.map(({ entity }) => ({ entity, ...refusal })) })
)

interface Directories {
  errorCode: number
  results: { errorCode: number; logDir: string }[]
}

export const clusterRows: readonly Row[] = [
  describeClusterRow,
  describeAclsRow,
  createAclsRow,
  deleteAclsRow,
  describeScramRow,
  alterScramRow,
  describeQuotasRow,
  alterQuotasRow,
  clusterRow(34, 'AlterReplicaLogDirs', 'alter', asked => asked.blank()),
  clusterRow<object, Directories>(35, 'DescribeLogDirs', 'describe', asked =>
    // Before version 3 there is no code for the whole, and Kafka answers no directory.
    asked.blank({ errorCode: CLUSTER_REFUSED, results: [] })
  ),
  clusterRow(43, 'ElectLeaders', 'alter'),
  clusterRow(45, 'AlterPartitionReassignments', 'alter'),
  clusterRow(46, 'ListPartitionReassignments', 'describe'),
  clusterRow(55, 'DescribeQuorum', 'describe'),
  clusterRow(57, 'UpdateFeatures', 'alter'),
  clusterRow(64, 'UnregisterBroker', 'alter'),
  openRow(71, 'GetTelemetrySubscriptions'),
  openRow(72, 'PushTelemetry'),
  clusterRow(74, 'ListConfigResources', 'describe-configs')
]
