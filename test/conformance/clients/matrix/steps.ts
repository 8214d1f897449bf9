/**
 * What every client does, step by step, each a cell of the matrix. A client's program is called with the broker, a prefix for the names of
 * its topics and groups, and the steps to take; it prints one JSON line for each, `{"step": ..., "outcome": "ok"}` or what went wrong. A step
 * that the client cannot take is left out.
 */
export const steps = {
  topics: 'a topic of three partitions is made, listed, deleted and gone',
  codecs: 'a record in each codec that the client has is read back',
  order: '200 records of ten keys in three partitions are read back, those of a key in their order',
  groups: 'two members share four partitions, each record comes once, and a third goes on where they stopped',
  time: 'reading begins at the first record that is late enough',
  idempotence: '100 records of an idempotent producer are there once',
  admin: 'a setting is changed and told, records are deleted, partitions are added, a group is listed and deleted',
  transactions: 'of three transactions two are committed, and read_committed sees those; offsets are committed with one',
  kip848: 'two members share four partitions under the group protocol of KIP-848'
} as const

export type Step = keyof typeof steps

/** The API, at this version or later, without which there is no such step. */
export const needs: Readonly<Partial<Record<Step, { readonly key: number; readonly what: string }>>> = {
  transactions: { key: 26, what: 'EndTxn' },
  kip848: { key: 68, what: 'ConsumerGroupHeartbeat' }
}
