/** The schema of reject events, as schemas/assay/_assay.rejects/value.avsc has it (a test compares the two): the server registers it itself. */

export const REJECTS_TOPIC = '_assay.rejects'

export const rejectSchemaText = JSON.stringify({
  type: 'record',
  name: 'Rejection',
  namespace: 'assay',
  doc: 'Records that the gate refused, and why. Their payload is not kept.',
  fields: [
    { name: 'topic', type: 'string', doc: 'Topic to which they were sent.' },
    { name: 'partition', type: 'int', doc: 'Partition to which they were sent.' },
    { name: 'clientId', type: ['null', 'string'], default: null, doc: 'Client ID that the producer gave, when it gave one.' },
    { name: 'principal', type: 'string', default: 'ANONYMOUS', doc: 'Who sent them.' },
    {
      name: 'subject',
      type: ['null', 'string'],
      default: null,
      doc: 'Subject under which the schema was sought, when there was one.'
    },
    {
      name: 'schemaId',
      type: ['null', 'int'],
      default: null,
      doc: 'Schema ID that the first of them carried, when it carried one.'
    },
    { name: 'recordIndex', type: 'int', doc: 'Index of the first of them in its batch, counted from 0.' },
    { name: 'reason', type: 'string', doc: 'What is wrong with the first of them, in words.' },
    {
      name: 'path',
      type: ['null', 'string'],
      default: null,
      doc: 'Where in the key or value it is wrong, such as value.items[3].price.'
    },
    { name: 'count', type: 'int', default: 1, doc: 'How many records of the batch were refused.' },
    { name: 'rejectedAt', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: 'When the gate refused them.' }
  ]
})

/** A reject event as it is encoded: the fields above. */
export interface RejectEvent {
  readonly topic: string
  readonly partition: number
  readonly clientId: string | null
  readonly principal: string
  readonly subject: string | null
  readonly schemaId: number | null
  readonly recordIndex: number
  readonly reason: string
  readonly path: string | null
  readonly count: number
  /** Milliseconds since 1970. */
  readonly rejectedAt: number
}
