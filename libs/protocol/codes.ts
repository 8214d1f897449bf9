/**
 * Kafka's error codes (Apache Kafka 4.4), by name. A conformance test compares them with the kafka-clients jar.
 */
import { AssayError } from '@assay/errors'

interface CodeRow {
  readonly code: number
  /** A client may send the request again. */
  readonly retriable?: true
  /** What it means, in a sentence. */
  readonly says: string
}

export const codes = {
  UNKNOWN_SERVER_ERROR: { code: -1, says: 'The broker failed in a way that has no code of its own.' },
  NONE: { code: 0, says: 'All went well.' },
  OFFSET_OUT_OF_RANGE: { code: 1, says: 'The offset lies before the start or behind the end of the log.' },
  CORRUPT_MESSAGE: { code: 2, retriable: true, says: 'The record batch is damaged: its checksum or its size is wrong.' },
  UNKNOWN_TOPIC_OR_PARTITION: { code: 3, retriable: true, says: 'There is no such topic, or it has no such partition.' },
  INVALID_FETCH_SIZE: { code: 4, says: 'A fetch cannot ask for this many bytes.' },
  LEADER_NOT_AVAILABLE: { code: 5, retriable: true, says: 'The partition has no leader at the moment.' },
  NOT_LEADER_OR_FOLLOWER: { code: 6, retriable: true, says: 'Another broker leads this partition.' },
  REQUEST_TIMED_OUT: { code: 7, retriable: true, says: 'The time that the request allowed is over.' },
  BROKER_NOT_AVAILABLE: { code: 8, says: 'The broker is not there.' },
  REPLICA_NOT_AVAILABLE: { code: 9, retriable: true, says: 'The replica is not there.' },
  MESSAGE_TOO_LARGE: { code: 10, says: 'The record batch is larger than the topic allows.' },
  STALE_CONTROLLER_EPOCH: { code: 11, says: 'The controller that sent this has been replaced.' },
  OFFSET_METADATA_TOO_LARGE: { code: 12, says: 'The text committed with an offset is too long.' },
  NETWORK_EXCEPTION: { code: 13, retriable: true, says: 'The connection broke before the answer came.' },
  COORDINATOR_LOAD_IN_PROGRESS: { code: 14, retriable: true, says: 'The coordinator is still reading its state.' },
  COORDINATOR_NOT_AVAILABLE: { code: 15, retriable: true, says: 'No coordinator is there yet.' },
  NOT_COORDINATOR: { code: 16, retriable: true, says: 'Another broker coordinates this group or transaction.' },
  INVALID_TOPIC_EXCEPTION: { code: 17, says: 'The topic name is not allowed, or the topic cannot be used this way.' },
  RECORD_LIST_TOO_LARGE: { code: 18, says: 'The batch is larger than a segment of the log.' },
  NOT_ENOUGH_REPLICAS: { code: 19, retriable: true, says: 'Too few replicas are in sync to take the write.' },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: { code: 20, retriable: true, says: 'The write was stored, but on too few replicas.' },
  INVALID_REQUIRED_ACKS: { code: 21, says: 'acks must be -1, 0 or 1.' },
  ILLEGAL_GENERATION: { code: 22, says: 'The member speaks for another generation of the group.' },
  INCONSISTENT_GROUP_PROTOCOL: { code: 23, says: 'The member shares no protocol or protocol type with its group.' },
  INVALID_GROUP_ID: { code: 24, says: 'The group ID is not allowed.' },
  UNKNOWN_MEMBER_ID: { code: 25, says: 'The group has no such member.' },
  INVALID_SESSION_TIMEOUT: { code: 26, says: 'The session timeout is outside the bounds of the broker.' },
  REBALANCE_IN_PROGRESS: { code: 27, says: 'The group is forming its next generation: join again.' },
  INVALID_COMMIT_OFFSET_SIZE: { code: 28, says: 'The committed offset is too large to store.' },
  TOPIC_AUTHORIZATION_FAILED: { code: 29, says: 'The principal may not do this with the topic.' },
  GROUP_AUTHORIZATION_FAILED: { code: 30, says: 'The principal may not do this with the group.' },
  CLUSTER_AUTHORIZATION_FAILED: { code: 31, says: 'The principal may not do this with the cluster.' },
  INVALID_TIMESTAMP: { code: 32, says: "A record's timestamp is too far from the broker's clock." },
  UNSUPPORTED_SASL_MECHANISM: { code: 33, says: 'The SASL mechanism is not offered here.' },
  ILLEGAL_SASL_STATE: { code: 34, says: 'This request does not belong here in the SASL exchange.' },
  UNSUPPORTED_VERSION: { code: 35, says: 'This version of the API is not served.' },
  TOPIC_ALREADY_EXISTS: { code: 36, says: 'There is a topic of this name already.' },
  INVALID_PARTITIONS: { code: 37, says: 'A topic cannot have this number of partitions.' },
  INVALID_REPLICATION_FACTOR: {
    code: 38,
    says: 'There are not as many brokers as replicas asked for, or the number is not positive.'
  },
  INVALID_REPLICA_ASSIGNMENT: { code: 39, says: 'The assignment of replicas to brokers cannot be.' },
  INVALID_CONFIG: { code: 40, says: 'A setting has a value that it cannot have.' },
  NOT_CONTROLLER: { code: 41, retriable: true, says: 'Another node is the controller of the cluster.' },
  INVALID_REQUEST: { code: 42, says: 'The request contradicts itself or the protocol.' },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { code: 43, says: 'The record format of the topic cannot do this.' },
  POLICY_VIOLATION: { code: 44, says: 'A policy of the cluster forbids this.' },
  OUT_OF_ORDER_SEQUENCE_NUMBER: { code: 45, says: "The sequence number leaves a gap to the producer's last batch." },
  DUPLICATE_SEQUENCE_NUMBER: { code: 46, says: 'The batch was stored before, and it is too long ago to say where.' },
  INVALID_PRODUCER_EPOCH: { code: 47, says: "The producer's epoch is older than the current one." },
  INVALID_TXN_STATE: { code: 48, says: 'The transaction cannot do this in its present state.' },
  INVALID_PRODUCER_ID_MAPPING: { code: 49, says: 'The producer ID does not belong to this transactional ID.' },
  INVALID_TRANSACTION_TIMEOUT: { code: 50, says: 'The transaction timeout is longer than the broker allows.' },
  CONCURRENT_TRANSACTIONS: { code: 51, retriable: true, says: 'The former transaction of this producer is still being ended.' },
  TRANSACTION_COORDINATOR_FENCED: { code: 52, says: 'The coordinator that sent this has been replaced.' },
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: { code: 53, says: 'The principal may not use this transactional ID.' },
  SECURITY_DISABLED: { code: 54, says: 'The broker runs without an authorizer.' },
  OPERATION_NOT_ATTEMPTED: { code: 55, says: 'Nothing was tried, for another part of the request failed.' },
  KAFKA_STORAGE_ERROR: { code: 56, retriable: true, says: 'The disk could not be read or written.' },
  LOG_DIR_NOT_FOUND: { code: 57, says: 'The broker has no such log directory.' },
  SASL_AUTHENTICATION_FAILED: { code: 58, says: 'The credentials were refused.' },
  UNKNOWN_PRODUCER_ID: { code: 59, says: 'The broker knows nothing of this producer any more.' },
  REASSIGNMENT_IN_PROGRESS: { code: 60, says: 'Partitions are being moved already.' },
  DELEGATION_TOKEN_AUTH_DISABLED: { code: 61, says: 'Delegation tokens are not switched on.' },
  DELEGATION_TOKEN_NOT_FOUND: { code: 62, says: 'There is no such delegation token.' },
  DELEGATION_TOKEN_OWNER_MISMATCH: { code: 63, says: 'The delegation token belongs to another principal.' },
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: { code: 64, says: 'Delegation tokens cannot be asked for on this connection.' },
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: { code: 65, says: 'The principal may not do this with delegation tokens.' },
  DELEGATION_TOKEN_EXPIRED: { code: 66, says: 'The delegation token is too old.' },
  INVALID_PRINCIPAL_TYPE: { code: 67, says: 'Principals of this type are not known.' },
  NON_EMPTY_GROUP: { code: 68, says: 'The group still has members.' },
  GROUP_ID_NOT_FOUND: { code: 69, says: 'There is no such group.' },
  FETCH_SESSION_ID_NOT_FOUND: { code: 70, retriable: true, says: 'There is no such fetch session.' },
  INVALID_FETCH_SESSION_EPOCH: { code: 71, retriable: true, says: 'The fetch session is at another epoch.' },
  LISTENER_NOT_FOUND: { code: 72, retriable: true, says: 'The leader has no listener like the one asked.' },
  TOPIC_DELETION_DISABLED: { code: 73, says: 'Deleting topics is switched off.' },
  FENCED_LEADER_EPOCH: { code: 74, retriable: true, says: "The client's leader epoch is older than the partition's." },
  UNKNOWN_LEADER_EPOCH: { code: 75, retriable: true, says: "The client's leader epoch is newer than the partition's." },
  UNSUPPORTED_COMPRESSION_TYPE: { code: 76, says: "The client's version cannot read this compression codec." },
  STALE_BROKER_EPOCH: { code: 77, says: 'The broker has registered anew since.' },
  OFFSET_NOT_AVAILABLE: { code: 78, retriable: true, says: 'The new leader does not know its high watermark yet.' },
  MEMBER_ID_REQUIRED: { code: 79, says: 'Join again with the member ID given here.' },
  PREFERRED_LEADER_NOT_AVAILABLE: { code: 80, retriable: true, says: 'The preferred replica cannot lead now.' },
  GROUP_MAX_SIZE_REACHED: { code: 81, says: 'The group has as many members as it may have.' },
  FENCED_INSTANCE_ID: { code: 82, says: 'Another member has joined with the same instance ID.' },
  ELIGIBLE_LEADERS_NOT_AVAILABLE: { code: 83, retriable: true, says: 'No replica that may lead is there.' },
  ELECTION_NOT_NEEDED: { code: 84, retriable: true, says: 'The partition has its right leader already.' },
  NO_REASSIGNMENT_IN_PROGRESS: { code: 85, says: 'Nothing is being moved.' },
  GROUP_SUBSCRIBED_TO_TOPIC: { code: 86, says: 'The group still reads this topic.' },
  INVALID_RECORD: { code: 87, says: "The broker's checks refused a record." },
  UNSTABLE_OFFSET_COMMIT: { code: 88, retriable: true, says: 'Offsets of an open transaction are still pending.' },
  THROTTLING_QUOTA_EXCEEDED: { code: 89, retriable: true, says: 'The quota is used up; try later.' },
  PRODUCER_FENCED: { code: 90, says: 'A newer producer uses this transactional ID.' },
  RESOURCE_NOT_FOUND: { code: 91, says: 'What the request names is not there.' },
  DUPLICATE_RESOURCE: { code: 92, says: 'What the request names is there already, or named twice.' },
  UNACCEPTABLE_CREDENTIAL: { code: 93, says: 'The credential does not meet the rules.' },
  INCONSISTENT_VOTER_SET: { code: 94, says: 'The voters named differ from those known here.' },
  INVALID_UPDATE_VERSION: { code: 95, says: 'The feature cannot go to this version.' },
  FEATURE_UPDATE_FAILED: { code: 96, says: 'The features could not be updated.' },
  PRINCIPAL_DESERIALIZATION_FAILURE: { code: 97, says: "A forwarded request's principal could not be read." },
  SNAPSHOT_NOT_FOUND: { code: 98, says: 'There is no such snapshot.' },
  POSITION_OUT_OF_RANGE: { code: 99, says: 'The position is outside the snapshot.' },
  UNKNOWN_TOPIC_ID: { code: 100, retriable: true, says: 'No topic has this ID.' },
  DUPLICATE_BROKER_REGISTRATION: { code: 101, says: 'Another broker runs under this ID.' },
  BROKER_ID_NOT_REGISTERED: { code: 102, says: 'No broker is registered under this ID.' },
  INCONSISTENT_TOPIC_ID: { code: 103, retriable: true, says: "The topic's ID is another one here." },
  INCONSISTENT_CLUSTER_ID: { code: 104, says: 'The request is meant for another cluster.' },
  TRANSACTIONAL_ID_NOT_FOUND: { code: 105, says: 'There is no such transactional ID.' },
  FETCH_SESSION_TOPIC_ID_ERROR: { code: 106, retriable: true, says: 'The fetch session mixes topics by name with topics by ID.' },
  INELIGIBLE_REPLICA: { code: 107, says: 'The replica may not be in sync.' },
  NEW_LEADER_ELECTED: { code: 108, says: 'The change was made, and the partition has another leader now.' },
  OFFSET_MOVED_TO_TIERED_STORAGE: { code: 109, says: 'The offset is held in remote storage only.' },
  FENCED_MEMBER_EPOCH: { code: 110, says: 'The member was removed from its group and must join afresh.' },
  UNRELEASED_INSTANCE_ID: { code: 111, says: 'Another member still holds this instance ID.' },
  UNSUPPORTED_ASSIGNOR: { code: 112, says: 'The group cannot use this assignor.' },
  STALE_MEMBER_EPOCH: { code: 113, says: 'The member must learn its new epoch, then try again.' },
  MISMATCHED_ENDPOINT_TYPE: {
    code: 114,
    says: 'The request went to a broker where a controller was meant, or the other way round.'
  },
  UNSUPPORTED_ENDPOINT_TYPE: { code: 115, says: 'Endpoints of this type are not known.' },
  UNKNOWN_CONTROLLER_ID: { code: 116, says: 'There is no controller of this ID.' },
  UNKNOWN_SUBSCRIPTION_ID: { code: 117, says: 'The telemetry subscription has changed since.' },
  TELEMETRY_TOO_LARGE: { code: 118, says: 'The pushed metrics are larger than allowed.' },
  INVALID_REGISTRATION: { code: 119, says: "The controller refused the broker's registration." },
  TRANSACTION_ABORTABLE: { code: 120, says: 'The transaction cannot go on; abort it and begin a new one.' },
  INVALID_RECORD_STATE: { code: 121, says: 'The shared record is not in a state that allows this.' },
  SHARE_SESSION_NOT_FOUND: { code: 122, retriable: true, says: 'There is no such share session.' },
  INVALID_SHARE_SESSION_EPOCH: { code: 123, retriable: true, says: 'The share session is at another epoch.' },
  FENCED_STATE_EPOCH: { code: 124, says: 'The share state is at a newer epoch.' },
  INVALID_VOTER_KEY: { code: 125, says: "The voter's key is not the one of the receiving node." },
  DUPLICATE_VOTER: { code: 126, says: 'The voter is in the set already.' },
  VOTER_NOT_FOUND: { code: 127, says: 'The voter is not in the set.' },
  INVALID_REGULAR_EXPRESSION: { code: 128, says: 'The regular expression cannot be parsed.' },
  REBOOTSTRAP_REQUIRED: { code: 129, says: 'The client must start over from its bootstrap addresses.' },
  STREAMS_INVALID_TOPOLOGY: { code: 130, says: 'The streams topology cannot be.' },
  STREAMS_INVALID_TOPOLOGY_EPOCH: { code: 131, says: 'The streams topology is at another epoch.' },
  STREAMS_TOPOLOGY_FENCED: { code: 132, says: 'A newer streams topology has taken over.' },
  SHARE_SESSION_LIMIT_REACHED: { code: 133, retriable: true, says: 'There are as many share sessions as there may be.' },
  GROUP_DELETION_FAILED: { code: 134, says: 'The group could not be deleted.' },
  STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED: { code: 135, says: 'The description of the streams topology could not be stored.' },
  CONTROLLER_ID_NOT_REGISTERED: { code: 136, says: 'No controller is registered under this ID.' }
} as const satisfies Record<string, CodeRow>

export type KafkaError = keyof typeof codes

const names = new Map(Object.entries(codes).map(([name, { code }]) => [code as number, name as KafkaError]))

export const errorCode = (name: KafkaError): number => codes[name].code

/** The name of a code; UNKNOWN_SERVER_ERROR for one that Kafka 4.4 does not have. */
export const errorName = (code: number): KafkaError => names.get(code) ?? 'UNKNOWN_SERVER_ERROR'

/** The code that an error is answered with: that of its row in the error table, else UNKNOWN_SERVER_ERROR. */
export function errorCodeOf(error: unknown): number {
  const name = error instanceof AssayError ? error.row.kafka : undefined
  return name !== undefined && Object.hasOwn(codes, name) ? codes[name as KafkaError].code : codes.UNKNOWN_SERVER_ERROR.code
}
