/** One real client as the conformance scenarios use it: unmodified, with the serializers its users have. */

/** The event of the scenarios; every client writes and reads it through its own Avro serializer. */
export interface Visit {
  readonly user: string
  readonly step: number
  readonly page: string
}

export const visitSchema = JSON.stringify({
  type: 'record',
  name: 'Visit',
  namespace: 'conformance',
  doc: 'One page view of a user.',
  fields: [
    { name: 'user', type: 'string' },
    { name: 'step', type: 'int' },
    { name: 'page', type: 'string', default: '/' }
  ]
})

export interface Received {
  readonly key: string
  readonly value: Visit
  readonly partition: number
  readonly offset: number
}

export interface Member {
  /** Leaves the group; what was received before is committed. */
  stop(): Promise<void>
}

export interface Doors {
  readonly http: string
  readonly kafka: string
}

export interface Driver {
  readonly name: string
  /** Makes ready what the client needs on this machine; answers why it cannot be had, or undefined. */
  prepare(): Promise<string | undefined>
  /** Registers the schema under the subject with the client's own registry client and answers the ID. */
  register(doors: Doors, subject: string, schema: string): Promise<number>
  /** Serializes with the schema registered under `<topic>-value` and produces with acks=all, idempotent where the client can. */
  produce(doors: Doors, topic: string, visits: readonly Visit[]): Promise<void>
  /** Sends raw bytes as one record; resolves with the client's own error text when it is refused, undefined when stored. */
  sendRaw(doors: Doors, topic: string, value: Buffer): Promise<string | undefined>
  /** Joins the group, reading from the earliest offset where nothing is committed, and hands over what it deserializes. */
  join(doors: Doors, group: string, topic: string, onVisit: (received: Received) => void): Promise<Member>
}
