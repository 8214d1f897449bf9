/** What an examination of a data directory or a backup finds: where it is, what it means, and what to do. */
import type { Offset, PartitionKey } from '../log.ts'

export type FindingKind = 'file' | 'segment' | 'batch' | 'gap' | 'index' | 'start' | 'topics' | 'schemas' | 'manifest'

export interface Finding {
  readonly kind: FindingKind
  /** A note is worth knowing and harms nothing. */
  readonly severity: 'damage' | 'note'
  readonly file?: string
  /** Byte of the file. */
  readonly at?: number
  readonly partition?: PartitionKey
  /** Offsets concerned, both included. */
  readonly from?: Offset
  readonly to?: Offset
  readonly says: string
  /** What to do about it. */
  readonly advice: string
}

/** Above so many of one examination the rest is only counted: a torn disk has no end of them. */
export const FINDINGS_MAX = 1000

export interface Findings {
  readonly all: readonly Finding[]
  /** Those that are not among `all`. */
  readonly more: number
  readonly isDamaged: boolean
  add(finding: Finding): void
}

export function findings(onFinding?: (finding: Finding) => void): Findings {
  const all: Finding[] = []
  let more = 0
  let isDamaged = false
  return {
    all,
    get more() {
      return more
    },
    get isDamaged() {
      return isDamaged
    },
    add(finding) {
      isDamaged ||= finding.severity === 'damage'
      if (all.length >= FINDINGS_MAX) {
        more++
        return
      }
      all.push(finding)
      onFinding?.(finding)
    }
  }
}
