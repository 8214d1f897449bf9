export { type AnyApi, type Api, api, type RequestOf, type ResponseOf } from './api.ts'
export { apiByKey, apis } from './apis/all.ts'
export { alterConfigs } from './apis/alter-configs.ts'
export { apiVersions } from './apis/api-versions.ts'
export { createPartitions } from './apis/create-partitions.ts'
export { createTopics } from './apis/create-topics.ts'
export { deleteGroups } from './apis/delete-groups.ts'
export { deleteRecords } from './apis/delete-records.ts'
export { deleteTopics } from './apis/delete-topics.ts'
export { describeCluster } from './apis/describe-cluster.ts'
export { describeConfigs } from './apis/describe-configs.ts'
export { describeGroups } from './apis/describe-groups.ts'
export { fetch } from './apis/fetch.ts'
export { findCoordinator } from './apis/find-coordinator.ts'
export { heartbeat } from './apis/heartbeat.ts'
export { incrementalAlterConfigs } from './apis/incremental-alter-configs.ts'
export { initProducerId } from './apis/init-producer-id.ts'
export { joinGroup } from './apis/join-group.ts'
export { leaveGroup } from './apis/leave-group.ts'
export { listGroups } from './apis/list-groups.ts'
export { listOffsets } from './apis/list-offsets.ts'
export { metadata } from './apis/metadata.ts'
export { offsetCommit } from './apis/offset-commit.ts'
export { offsetFetch } from './apis/offset-fetch.ts'
export { offsetForLeaderEpoch } from './apis/offset-for-leader-epoch.ts'
export { produce } from './apis/produce.ts'
export { syncGroup } from './apis/sync-group.ts'
export { codes, errorCode, errorCodeOf, errorName, type KafkaError } from './codes.ts'
export { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './compile.ts'
export { type AnyField, Field, type Fields, type Kind, type MessageOf, NO_VERSION, type TypeOf, ZERO_UUID } from './field.ts'
export {
  declaredApi,
  type RequestHeader,
  type RequestStart,
  readRequestHeader,
  readRequestStart,
  requestFrame,
  responseBodyAt,
  responseFrame
} from './frame.ts'
export { renderApis } from './reference.ts'
