/** One real client as those who look after topics use it: its admin client, a producer, a consumer; unmodified. */

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CodecName = (typeof codecs)[number]

export interface Batch {
  readonly codec: CodecName
  readonly values: readonly string[]
  /** One for each value. */
  readonly timestampsMs: readonly number[]
}

export interface Read {
  readonly offset: number
  readonly timestampMs: number
  readonly value: string
}

export interface TopicDriver {
  readonly name: string
  readonly codecs: readonly CodecName[]
  /** False of a client that shows the producer's time where the topic asks for that of the append. */
  readonly readsAppendTime: boolean
  /** Answers why the client cannot be had on this machine, or undefined. */
  prepare(): Promise<string | undefined>
  /** One connection's worth of it; `kafka` is HOST:PORT. */
  open(kafka: string): Promise<TopicClient>
}

export interface TopicClient {
  create(topic: string, configs: Readonly<Record<string, string>>): Promise<void>
  /** Sets one setting of a topic; the client's own error text when it is refused. */
  configure(topic: string, name: string, value: string): Promise<string | undefined>
  configOf(topic: string, name: string): Promise<{ readonly value: string; readonly isDefault: boolean }>
  /** Records of partition 0 below the offset. */
  deleteRecords(topic: string, before: number): Promise<string | undefined>
  /** First and next offset of partition 0. */
  offsets(topic: string): Promise<readonly [first: number, next: number]>
  /** The first record of partition 0 that is at least so late; the end when there is none. */
  offsetAt(topic: string, timestampMs: number): Promise<number>
  /** In one batch; the client's own error text when it is refused. */
  produce(topic: string, batch: Batch): Promise<string | undefined>
  /** Partition 0 from the first record on, until there are so many. */
  consume(topic: string, count: number): Promise<Read[]>
  close(): Promise<void>
}
