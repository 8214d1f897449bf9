/**
 * Every expected way to fail, once. Each door reads its own column: `http` and `registry` for REST
 * (status and `error_code`, Confluent's numbers), `kafka` for the wire (a name of protocol/codes.ts).
 * A row without a door's column falls to that door's unknown-error code.
 */
export interface ErrorRow {
  /** Text with {facts} in braces; `throw new AssayError(name, facts)` is typed from them. */
  readonly says: string
  readonly http?: number
  readonly registry?: number
  readonly kafka?: string
  readonly retriable?: true
}

export const table = {
  // The registry: subjects, versions, schemas. Texts that Confluent's clients compare are Confluent's own.
  SUBJECT_NOT_FOUND: { says: "Subject '{subject}' not found.", http: 404, registry: 40401 },
  VERSION_NOT_FOUND: { says: 'Version {version} not found.', http: 404, registry: 40402 },
  SCHEMA_NOT_FOUND: { says: 'Schema {schema} not found', http: 404, registry: 40403 },
  SCHEMA_NOT_IN_SUBJECT: { says: 'Schema not found', http: 404, registry: 40403 },
  SUBJECT_SOFT_DELETED: {
    says: "Subject '{subject}' was soft deleted.Set permanent=true to delete permanently",
    http: 404,
    registry: 40404
  },
  SUBJECT_NOT_SOFT_DELETED: {
    says: "Subject '{subject}' was not deleted first before being permanently deleted",
    http: 404,
    registry: 40405
  },
  VERSION_SOFT_DELETED: {
    says: "Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently",
    http: 404,
    registry: 40406
  },
  VERSION_NOT_SOFT_DELETED: {
    says: "Subject '{subject}' Version {version} was not deleted first before being permanently deleted",
    http: 404,
    registry: 40407
  },
  SUBJECT_CONFIG_NOT_FOUND: {
    says: "Subject '{subject}' does not have subject-level compatibility configured",
    http: 404,
    registry: 40408
  },
  SUBJECT_MODE_NOT_FOUND: {
    says: "Subject '{subject}' does not have subject-level mode configured",
    http: 404,
    registry: 40409
  },
  INCOMPATIBLE_SCHEMA: {
    says: 'Schema being registered is incompatible with an earlier schema for subject "{subject}", details: [{details}]',
    http: 409,
    registry: 40901
  },
  INVALID_SCHEMA: { says: 'Invalid schema: {reason}', http: 422, registry: 42201 },
  UNSUPPORTED_SCHEMA_TYPE: {
    says: 'Invalid schema: schemaType {schemaType} is not supported; this registry supports {supported}',
    http: 422,
    registry: 42201
  },
  INVALID_VERSION: {
    says: 'The specified version \'{version}\' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"',
    http: 422,
    registry: 42202
  },
  INVALID_COMPATIBILITY_LEVEL: {
    says: 'Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive',
    http: 422,
    registry: 42203
  },
  INVALID_MODE: { says: 'Invalid mode. {reason}', http: 422, registry: 42204 },
  OPERATION_NOT_PERMITTED: { says: '{reason}', http: 422, registry: 42205 },
  SCHEMA_TOO_LARGE: {
    says: 'Write failed because schema is too large: {size} bytes, at most {limit}',
    http: 422,
    registry: 42209
  },
  CONTEXT_NOT_EMPTY: { says: "The specified context '{context}' is not empty.", http: 422, registry: 42211 },
  REFERENCE_EXISTS: {
    says: 'One or more references exist to the schema {schema}.',
    http: 422,
    registry: 42206
  },
  INVALID_RULE_SET: { says: '{reason}', http: 422, registry: 42210 },
  REGISTRY_BUSY: { says: 'More than {limit} writes wait; try again', http: 503, registry: 50302, retriable: true },
  INVALID_SUBJECT: { says: "The specified subject '{subject}' is not a valid subject: {reason}", http: 422, registry: 42208 },

  // HTTP: requests that no route takes.
  INVALID_REQUEST_BODY: { says: '{reason}', http: 400, registry: 400 },
  ROUTE_NOT_FOUND: { says: 'HTTP 404 Not Found: {method} {path}', http: 404, registry: 404 },
  METHOD_NOT_ALLOWED: { says: 'HTTP 405 Method Not Allowed: {path} takes {allowed}', http: 405, registry: 405 },
  NOT_ACCEPTABLE: { says: 'HTTP 406 Not Acceptable: this answers {offered}', http: 406, registry: 406 },
  BODY_TOO_LARGE: { says: 'The request body is larger than {limit} bytes', http: 413, registry: 413 },
  UNSUPPORTED_MEDIA_TYPE: { says: 'HTTP 415 Unsupported Media Type: send {accepted}', http: 415, registry: 415 },

  // Security: who somebody is, and what he may do.
  NOT_AUTHENTICATED: { says: 'Not authenticated: {reason}', http: 401, registry: 40101, kafka: 'SASL_AUTHENTICATION_FAILED' },
  ACCESS_DENIED: {
    says: '{principal} may not {operation} {resource}: {reason}',
    http: 403,
    registry: 40301,
    kafka: 'TOPIC_AUTHORIZATION_FAILED'
  },
  FOREIGN_ORIGIN: { says: 'Refused: {reason}', http: 403, registry: 40302 },
  TOO_MANY_LOG_INS: {
    says: 'Too many log-ins from {address}; try again in {seconds} s',
    http: 429,
    registry: 42901,
    kafka: 'SASL_AUTHENTICATION_FAILED',
    retriable: true
  },
  TOKEN_KEYS_UNREACHABLE: {
    says: 'The keys of the tokens cannot be had from {where}: {reason}',
    http: 503,
    registry: 50303,
    kafka: 'SASL_AUTHENTICATION_FAILED',
    retriable: true
  },
  SECURITY_FILE_INVALID: { says: '{place}: {reason}' },

  // Events over HTTP and the gate.
  TOPIC_NOT_FOUND: { says: "Topic '{topic}' not found.", http: 404, registry: 40411, kafka: 'UNKNOWN_TOPIC_OR_PARTITION' },
  PARTITION_NOT_FOUND: {
    says: "Topic '{topic}' has no partition {partition}.",
    http: 404,
    registry: 40412,
    kafka: 'UNKNOWN_TOPIC_OR_PARTITION'
  },
  EVENT_NOT_ENCODABLE: { says: 'Event {index} does not fit its schema: {path}: {reason}', http: 422, registry: 42252 },
  RECORD_REJECTED: { says: 'Record {index}: {reason}', http: 422, registry: 42251, kafka: 'INVALID_RECORD' },

  // The log and the broker.
  TOPIC_EXISTS: { says: "Topic '{topic}' already exists.", http: 409, registry: 40911, kafka: 'TOPIC_ALREADY_EXISTS' },
  INVALID_TOPIC: {
    says: "'{topic}' is not a topic name: {reason}",
    http: 422,
    registry: 42253,
    kafka: 'INVALID_TOPIC_EXCEPTION'
  },
  INVALID_PARTITIONS: { says: 'A topic cannot have {count} partitions: {reason}', kafka: 'INVALID_PARTITIONS' },
  INVALID_REPLICATION_FACTOR: {
    says: 'A topic cannot have {factor} replicas: there is one broker',
    kafka: 'INVALID_REPLICATION_FACTOR'
  },
  INVALID_REPLICA_ASSIGNMENT: { says: 'The assignment cannot be: {reason}', kafka: 'INVALID_REPLICA_ASSIGNMENT' },
  INVALID_TIMESTAMP: { says: 'Record {index}: {reason}', kafka: 'INVALID_TIMESTAMP' },
  INVALID_CONFIG: { says: "Setting '{name}': {reason}", http: 422, registry: 42254, kafka: 'INVALID_CONFIG' },
  INVALID_REQUEST: { says: '{reason}', http: 400, registry: 40001, kafka: 'INVALID_REQUEST' },
  POLICY_VIOLATED: { says: '{reason}', kafka: 'POLICY_VIOLATION' },
  CORRUPT_BATCH: { says: 'The record batch is damaged: {reason}', kafka: 'CORRUPT_MESSAGE' },
  INVALID_BATCH: { says: 'The record batch is not valid: {reason}', kafka: 'INVALID_RECORD' },
  BATCH_TOO_LARGE: {
    says: 'A record batch of {size} bytes is larger than {limit}',
    http: 413,
    registry: 41301,
    kafka: 'MESSAGE_TOO_LARGE'
  },
  DECOMPRESSED_TOO_LARGE: {
    says: 'The {codec} batch inflates beyond {limit} bytes',
    kafka: 'MESSAGE_TOO_LARGE'
  },
  UNSUPPORTED_CODEC: { says: 'Compression codec {codec} is not known', kafka: 'UNSUPPORTED_COMPRESSION_TYPE' },
  OFFSET_OUT_OF_RANGE: {
    says: 'Offset {offset} is outside {start}..{end}',
    http: 416,
    registry: 41601,
    kafka: 'OFFSET_OUT_OF_RANGE'
  },
  OUT_OF_ORDER_SEQUENCE: {
    says: 'Producer {producerId}: sequence {sequence} where {expected} was expected',
    kafka: 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  },
  PRODUCER_FENCED: { says: 'Producer {producerId}: epoch {epoch} is older than {current}', kafka: 'INVALID_PRODUCER_EPOCH' },
  INVALID_TRANSACTION_STATE: { says: 'The transaction does not allow this: {reason}', kafka: 'INVALID_TXN_STATE' },
  STORE_FAILED: {
    says: 'The store could not {action}',
    http: 500,
    registry: 50001,
    kafka: 'KAFKA_STORAGE_ERROR',
    retriable: true
  },
  STORE_FULL: {
    says: 'The store could not {action}',
    http: 503,
    registry: 50304,
    kafka: 'KAFKA_STORAGE_ERROR',
    retriable: true
  },
  QUOTA_EXCEEDED: {
    says: 'The throttling quota has been exceeded: {bound} partitions may be created or deleted in a second; try again in {waitMs} ms',
    kafka: 'THROTTLING_QUOTA_EXCEEDED',
    retriable: true
  },
  GROUP_NOT_FOUND: { says: "There is no group '{group}'", kafka: 'GROUP_ID_NOT_FOUND' },
  GROUP_NOT_EMPTY: { says: "Group '{group}' has members: {members}", kafka: 'NON_EMPTY_GROUP' },
  INVALID_REGULAR_EXPRESSION: {
    says: "'{pattern}' is no regular expression in the syntax of RE2: {reason}",
    kafka: 'INVALID_REGULAR_EXPRESSION'
  },
  STORE_CORRUPT: { says: '{what} is damaged: {reason}', http: 500, registry: 50001, kafka: 'KAFKA_STORAGE_ERROR' },
  STORE_LOCKED: { says: 'The data directory {directory} is in use by another process' },
  STORE_NOT_OURS: {
    says: '{directory} is not an Assay data directory and is not empty; name an empty one or one that Assay made'
  },
  MALFORMED_REQUEST: { says: '{api} v{version} request: {reason}', kafka: 'INVALID_REQUEST' },
  FRAME_TOO_LARGE: { says: 'A frame of {size} bytes is larger than {limit}' },
  UNSUPPORTED_VERSION: { says: '{what} is not supported: {reason}', kafka: 'UNSUPPORTED_VERSION' },

  BACKUP_RUNNING: {
    says: 'A backup is being taken already; try again when it is done',
    http: 409,
    registry: 40913,
    retriable: true
  },

  // Programs that produce and consume.
  SCHEMA_NOT_REGISTERED: {
    says: "The schema of {name} is not registered under subject '{subject}'; register it first, or let the producer do so with register: true"
  },
  RECORD_UNDECODABLE: { says: 'Record {offset} of {topic}-{partition}: its {part} cannot be decoded: {reason}' },

  // The command line.
  INVALID_SETTING: { says: '{setting} = {value}: {reason}' },
  INVALID_ARGUMENT: { says: '{reason}' },
  UNREACHABLE: { says: '{what} at {where} cannot be reached: {reason}', retriable: true },
  IMPORT_REFUSED: { says: '{reason}' },
  PEER_REFUSED: { says: '{what} answered {status}: {reason}' }
} as const satisfies Record<string, ErrorRow>
