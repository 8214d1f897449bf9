/**
 * Every setting, once. A row gives the flag (`--http-body-bytes-max`), the variable (`ASSAY_HTTP_BODY_BYTES_MAX`),
 * the key in assay.yaml (`http-body-bytes-max`), its bounds, its type in `Config`, and its line in docs/reference/settings.md.
 */

export type Unit = 'address' | 'path' | 'url' | 'name' | 'ms' | 'bytes' | 'count' | 'flag'
export type Group = 'server' | 'security' | 'client' | 'kafka' | 'http' | 'log' | 'groups' | 'topics'

export interface Setting<T> {
  readonly default: T
  readonly unit: Unit
  readonly group: Group
  readonly says: string
  readonly choices?: readonly T[]
  readonly min?: number
  readonly max?: number
}

type Widened<T> = T extends number ? number : T extends boolean ? boolean : T

const setting = <const T>(row: Setting<T>): Setting<Widened<T>> => row as unknown as Setting<Widened<T>>

const MiB = 1024 * 1024

export const settings = {
  data: setting<string>({
    default: '.assay/data',
    unit: 'path',
    group: 'server',
    says: 'Directory of the journal; made when it is not there.'
  }),
  http: setting<string>({
    default: '127.0.0.1:8081',
    unit: 'address',
    group: 'server',
    says: 'Where the HTTP door listens: registry API, events, metrics, health. Port 0 picks a free one.'
  }),
  kafka: setting<string>({
    default: '127.0.0.1:9092',
    unit: 'address',
    group: 'server',
    says: 'Where the Kafka door listens. Port 0 picks a free one.'
  }),
  advertised: setting<string>({
    default: '',
    unit: 'address',
    group: 'server',
    says: 'HOST:PORT that Kafka clients are told to connect to; empty means the address of the Kafka door.'
  }),
  allowRemote: setting({
    default: false,
    unit: 'flag',
    group: 'server',
    says: 'Allows both doors to listen beyond loopback although no client is authenticated.'
  }),
  logLevel: setting<'debug' | 'info' | 'warn' | 'error' | 'silent'>({
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    unit: 'name',
    group: 'server',
    says: 'Least severity that is written to stderr.'
  }),
  shutdownTimeoutMs: setting({
    default: 10_000,
    min: 0,
    unit: 'ms',
    group: 'server',
    says: 'How long a stop waits for answers under way.'
  }),

  securityFile: setting<string>({
    default: '',
    unit: 'path',
    group: 'security',
    says: 'File of users and ACLs, as assay user and assay acl write it; with one, nothing is answered that no ACL allows. Empty means no security.'
  }),
  loginFailuresMax: setting({
    default: 10,
    min: 1,
    max: 1_000_000,
    unit: 'count',
    group: 'security',
    says: 'Failed log-ins of one address in a minute before more are refused unheard.'
  }),
  jwtKeys: setting<string>({
    default: '',
    unit: 'name',
    group: 'security',
    says: 'Public keys of the issuer of bearer tokens, as a JSON Web Key Set: a file, the JSON itself, or an https URL. Empty means no tokens.'
  }),
  jwtIssuer: setting<string>({
    default: '',
    unit: 'name',
    group: 'security',
    says: 'Issuer (claim iss) that every token must come from.'
  }),
  jwtAudience: setting<string>({
    default: '',
    unit: 'name',
    group: 'security',
    says: 'Audience (claim aud) that every token must be meant for.'
  }),
  jwtAlgorithms: setting<string>({
    default: 'RS256,PS256,ES256,EdDSA',
    unit: 'name',
    group: 'security',
    says: 'Signature algorithms that tokens may have, separated by commas.'
  }),
  jwtPrincipalClaim: setting<string>({
    default: 'sub',
    unit: 'name',
    group: 'security',
    says: 'Claim whose value is the name of the principal.'
  }),
  httpTlsCert: setting<string>({
    default: '',
    unit: 'path',
    group: 'security',
    says: 'PEM file of the certificate of the HTTP door, with those that it was signed with; empty means no TLS.'
  }),
  httpTlsKey: setting<string>({
    default: '',
    unit: 'path',
    group: 'security',
    says: 'PEM file of the key of http-tls-cert.'
  }),
  httpTlsClientCa: setting<string>({
    default: '',
    unit: 'path',
    group: 'security',
    says: 'PEM file of the authorities that certificates of clients may come from.'
  }),
  httpTlsClientAuth: setting<'none' | 'optional' | 'required'>({
    default: 'none',
    choices: ['none', 'optional', 'required'],
    unit: 'name',
    group: 'security',
    says: 'Whether clients are asked for a certificate. Its subject is the principal, such as User:CN=anna,O=Example.'
  }),

  registry: setting<string>({
    default: 'http://127.0.0.1:8081',
    unit: 'url',
    group: 'client',
    says: 'URL of the registry that the command line talks to.'
  }),
  registryUser: setting<string>({
    default: '',
    unit: 'name',
    group: 'client',
    says: 'Who the command line is for the registry; its password is in registry-password-file. Credentials in the URL do the same.'
  }),
  registryPasswordFile: setting<string>({
    default: '',
    unit: 'path',
    group: 'client',
    says: 'File whose first line is the password of registry-user.'
  }),
  registryTokenFile: setting<string>({
    default: '',
    unit: 'path',
    group: 'client',
    says: 'File whose first line is a bearer token for the registry; instead of user and password.'
  }),
  registryCa: setting<string>({
    default: '',
    unit: 'path',
    group: 'client',
    says: 'PEM file of the authorities that the certificate of the registry may come from; empty means those of the system.'
  }),
  registryCert: setting<string>({
    default: '',
    unit: 'path',
    group: 'client',
    says: 'PEM file of the certificate that the command line shows a registry that asks for one; with registry-key.'
  }),
  registryKey: setting<string>({
    default: '',
    unit: 'path',
    group: 'client',
    says: 'PEM file of the key of registry-cert.'
  }),
  bootstrap: setting<string>({
    default: '127.0.0.1:9092',
    unit: 'address',
    group: 'client',
    says: 'HOST:PORT of the broker that the command line talks to.'
  }),
  timeoutMs: setting({
    default: 10_000,
    min: 1,
    unit: 'ms',
    group: 'client',
    says: 'How long the command line waits for one answer.'
  }),
  schemas: setting<string>({
    default: 'schemas',
    unit: 'path',
    group: 'client',
    says: 'Folder of .avsc files: register, check and generate read it.'
  }),

  frameBytesMax: setting({
    default: 100 * MiB,
    min: 1024,
    unit: 'bytes',
    group: 'kafka',
    says: 'Largest Kafka request that is read.'
  }),
  connectionsMax: setting({
    default: 10_000,
    min: 1,
    unit: 'count',
    group: 'kafka',
    says: 'Most Kafka connections at one time.'
  }),
  connectionBytesMax: setting({
    default: 128 * MiB,
    min: 1024,
    unit: 'bytes',
    group: 'kafka',
    says: 'Bytes of requests under way on one connection before it is not read from any more.'
  }),
  connectionIdleMs: setting({
    default: 600_000,
    min: 1000,
    unit: 'ms',
    group: 'kafka',
    says: 'A connection without a request for so long is closed.'
  }),

  requestElementsMax: setting({
    default: 100_000,
    min: 1000,
    unit: 'count',
    group: 'kafka',
    says: 'Most elements in all arrays of one Kafka request: topics, partitions, members.'
  }),

  httpBodyBytesMax: setting({ default: 10 * MiB, min: 1024, unit: 'bytes', group: 'http', says: 'Largest HTTP request body.' }),

  flush: setting<'commit' | 'interval' | 'never'>({
    default: 'commit',
    choices: ['commit', 'interval', 'never'],
    unit: 'name',
    group: 'log',
    says: 'When appends reach the disk: before they are acknowledged (commit), every flush-interval-ms, or as the operating system likes (never).'
  }),
  flushIntervalMs: setting({
    default: 1000,
    min: 1,
    unit: 'ms',
    group: 'log',
    says: 'With flush=interval: longest time that an acknowledged append may be only in memory.'
  }),
  tailCacheBytes: setting({
    default: 64 * MiB,
    min: 0,
    unit: 'bytes',
    group: 'log',
    says: 'Recent batches kept in memory for consumers that keep up.'
  }),
  appendQueueBytesMax: setting({
    default: 64 * MiB,
    min: MiB,
    unit: 'bytes',
    group: 'log',
    says: 'Bytes that may wait for the disk before further appends wait.'
  }),
  segmentBytes: setting({
    default: 1024 * MiB,
    min: MiB,
    unit: 'bytes',
    group: 'log',
    says: 'Bytes of batches in a segment of the journal before the next one is begun. Space is given back by whole segments.'
  }),
  segmentMs: setting({
    default: 604_800_000,
    min: 1000,
    unit: 'ms',
    group: 'log',
    says: 'Age of a segment of the journal before the next one is begun.'
  }),
  segmentsOpenMax: setting({
    default: 16,
    min: 1,
    max: 1000,
    unit: 'count',
    group: 'log',
    says: 'Older segments of the journal that stay open when nobody reads them.'
  }),
  retentionCheckIntervalMs: setting({
    default: 300_000,
    min: 1000,
    unit: 'ms',
    group: 'log',
    says: 'How often retention and compaction are seen to (log.retention.check.interval.ms).'
  }),
  diskFreeBytesMin: setting({
    default: 256 * MiB,
    min: 0,
    unit: 'bytes',
    group: 'log',
    says: 'Appends are refused, to be tried again, while fewer bytes than this are free on the disk; 0 leaves it to the disk to refuse.'
  }),
  producerExpiryMs: setting({
    default: 86_400_000,
    min: 1000,
    unit: 'ms',
    group: 'log',
    says: 'How long the sequence of an idempotent producer that is silent is remembered (producer.id.expiration.ms).'
  }),

  autoCreateTopics: setting({
    default: true,
    unit: 'flag',
    group: 'topics',
    says: 'A topic that a client asks for is made when it is not there (auto.create.topics.enable).'
  }),
  defaultPartitions: setting({
    default: 1,
    min: 1,
    max: 10_000,
    unit: 'count',
    group: 'topics',
    says: 'Partitions of a topic whose creator names none (num.partitions).'
  }),
  partitionsMax: setting({
    default: 10_000,
    min: 1,
    unit: 'count',
    group: 'topics',
    says: 'Most partitions in all topics together.'
  }),
  messageBytesMax: setting({
    default: 1_048_588,
    min: 1024,
    unit: 'bytes',
    group: 'topics',
    says: 'Largest record batch of a topic that sets no max.message.bytes (message.max.bytes).'
  }),
  decompressedBytesMax: setting({
    default: 64 * MiB,
    min: MiB,
    unit: 'bytes',
    group: 'topics',
    says: 'Largest size that a compressed record batch may inflate to.'
  }),
  recompressBytesMax: setting({
    default: 8 * MiB,
    min: 1024,
    unit: 'bytes',
    group: 'topics',
    says: 'Largest size that a record batch may inflate to in a topic whose compression.type is not producer. It bounds how long one batch holds up the others.'
  }),
  fetchBytesMax: setting({
    default: 55 * MiB,
    min: 1024,
    unit: 'bytes',
    group: 'topics',
    says: 'Most record bytes in one Fetch answer (fetch.max.bytes).'
  }),
  fetchBytesUnderWayMax: setting({
    default: 256 * MiB,
    min: MiB,
    unit: 'bytes',
    group: 'topics',
    says: 'Most record bytes in all Fetch answers that clients have not taken yet.'
  }),
  fetchWaitMsMax: setting({
    default: 300_000,
    min: 0,
    unit: 'ms',
    group: 'topics',
    says: 'Longest time that a Fetch may wait for records.'
  }),

  groupsMax: setting({
    default: 10_000,
    min: 1,
    unit: 'count',
    group: 'groups',
    says: 'Most consumer groups, those with nothing but committed offsets included.'
  }),
  groupMemberBytesMax: setting({
    default: MiB,
    min: 1024,
    unit: 'bytes',
    group: 'groups',
    says: 'Most bytes that one group member may bring as its subscription, and get as its assignment.'
  }),
  groupInitialRebalanceDelayMs: setting({
    default: 0,
    min: 0,
    unit: 'ms',
    group: 'groups',
    says: 'How long an empty group waits for more members after the first (group.initial.rebalance.delay.ms).'
  }),
  groupSessionTimeoutMinMs: setting({
    default: 6000,
    min: 1,
    unit: 'ms',
    group: 'groups',
    says: 'Shortest session timeout that a group member may ask for (group.min.session.timeout.ms).'
  }),
  groupSessionTimeoutMaxMs: setting({
    default: 1_800_000,
    min: 1,
    unit: 'ms',
    group: 'groups',
    says: 'Longest session timeout that a group member may ask for (group.max.session.timeout.ms).'
  }),
  groupMembersMax: setting({
    default: 1000,
    min: 1,
    unit: 'count',
    group: 'groups',
    says: 'Most members of one consumer group (group.max.size).'
  }),
  offsetMetadataBytesMax: setting({
    default: 4096,
    min: 0,
    unit: 'bytes',
    group: 'groups',
    says: 'Longest metadata text stored with a committed offset (offset.metadata.max.bytes).'
  })
}

export type SettingName = keyof typeof settings
export type Config = { readonly [K in SettingName]: (typeof settings)[K]['default'] }

const kebab = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
/** `httpBodyBytesMax` -> `http-body-bytes-max`: the flag without dashes and the key in assay.yaml. */
export const keyOf = (name: SettingName): string => kebab(name)
/** `httpBodyBytesMax` -> `ASSAY_HTTP_BODY_BYTES_MAX`. */
export const variableOf = (name: SettingName): string => `ASSAY_${kebab(name).replaceAll('-', '_').toUpperCase()}`
export const settingNames = Object.keys(settings) as SettingName[]
/** The rows without their individual types, for whoever walks the table. */
export const rowOf = (name: SettingName): Setting<string | number | boolean> =>
  settings[name] as Setting<string | number | boolean>
