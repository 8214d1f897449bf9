/** What one record of the journal means. */
import type { Content } from './content.ts'

/** The highest schema ID and the highest version: both are 32 bits on the wire. */
export const NUMBER_MAX = 2 ** 31 - 1

export const modes = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT', 'FORWARD'] as const
export type Mode = (typeof modes)[number]

export type Change =
  | {
      readonly type: 'schema'
      readonly subject: string
      readonly version: number
      readonly id: number
      readonly content: Content
      readonly deleted: boolean
    }
  /** The version is gone for ever. */
  | { readonly type: 'tombstone'; readonly subject: string; readonly version: number }
  /** Every version up to this number is soft-deleted. */
  | { readonly type: 'deleteSubject'; readonly subject: string; readonly upTo: number }
  /** What is soft-deleted of the subject, of the context (`:.context:`) or of everything (null) is gone: written at a switch to mode IMPORT. */
  | { readonly type: 'clearSubject'; readonly subject: string | null }
  | { readonly type: 'context'; readonly context: string; readonly exists: boolean }
  /** The subject may be a context (`:.context:`), or null for the default one; undefined takes the setting away. */
  | { readonly type: 'config'; readonly subject: string | null; readonly config: ConfigValue | undefined }
  | { readonly type: 'mode'; readonly subject: string | null; readonly mode: Mode | undefined }
  /** No ID up to this one is given again in the context. */
  | { readonly type: 'maxId'; readonly context: string; readonly maxId: number }

/** The fields of a CONFIG record as they were written; fields that only others know are kept and written back. */
export type ConfigValue = Readonly<Record<string, unknown>>

/** What a request comes to, decided before anything is written. */
export interface Plan<A> {
  /** In the order of the log; none when everything is as wished already. */
  readonly changes: readonly Change[]
  /** What the caller gets once the changes are in force. */
  readonly answer: A
}
