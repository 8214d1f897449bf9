/** One real client with its transactional producer and its consumer; unmodified. Topics have one partition. */

export interface TransactionDriver {
  readonly name: string
  /** False of a client whose consumer does not go by the list of aborted transactions: it shows some of their records. */
  readonly passesOverAborted: boolean
  /** False of a client that always claims an epoch of before, and so is itself refused where there is another one. */
  readonly fences: boolean
  /** Answers why the client cannot be had on this machine, or undefined. */
  prepare(): Promise<string | undefined>
  /** `kafka` is HOST:PORT. */
  open(kafka: string): Promise<TransactionClient>
}

export interface TransactionClient {
  /** A producer with the transactional ID, ready to begin; the one before it is fenced. */
  producer(id: string, options?: { readonly timeoutMs?: number }): Promise<TransactionProducer>
  /** Values of the topic from its first record on, until there are so many, and what follows shortly after. */
  read(topic: string, count: number, options: { readonly committed: boolean }): Promise<string[]>
  close(): Promise<void>
}

/** What an action was refused with, in the client's own words; undefined when it was not. */
export type Refusal = string | undefined

export interface TransactionProducer {
  begin(): Promise<Refusal>
  send(topic: string, value: string): Promise<Refusal>
  commit(): Promise<Refusal>
  abort(): Promise<Refusal>
  /**
   * In one transaction: the group reads so many records of `from`, writes each in capitals to `to`, and commits its offsets with them. The
   * group reads on from its committed offsets, else from the start.
   */
  transform(work: Transform): Promise<Refusal>
  close(): Promise<void>
}

export interface Transform {
  readonly group: string
  readonly from: string
  readonly to: string
  readonly count: number
  readonly end: 'commit' | 'abort'
}

export const SETTLE_MS = 400
