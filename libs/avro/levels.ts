/** The seven compatibility levels of a registry: which earlier versions a candidate is compared with, and who must read whom. */
import { compatibility, type Incompatibility } from './compatibility.ts'
import type { Schema } from './schema.ts'

export const compatibilityLevels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE'
] as const
export type CompatibilityLevel = (typeof compatibilityLevels)[number]

/** A level as clients write it, in any case of letters; undefined when there is no such level. */
export function parseLevel(text: string): CompatibilityLevel | undefined {
  const upper = text.toUpperCase()
  return compatibilityLevels.find(level => level === upper)
}

export interface EarlierVersion {
  readonly version: number
  readonly schema: Schema
  /** Canonical text, as clients are shown it. */
  readonly text: string
}

export interface Finding extends Incompatibility {
  /** The earlier version that the candidate was compared with. */
  readonly version: number
  /** BACKWARD: the candidate cannot read that version; FORWARD: that version cannot read the candidate. */
  readonly direction: 'BACKWARD' | 'FORWARD'
  /** `v5 cannot read v2`. */
  readonly says: string
}

export interface LevelOptions {
  /** The number that the candidate will have. Default: one more than the last. */
  readonly version?: number
  /** How places begin. Default `value`. */
  readonly root?: string
}

/**
 * Everything by which `candidate` breaks `level`, newest version first; empty when it may be registered.
 * `earlier` are the live versions in ascending order; a level that is not transitive looks only at the last.
 */
export function checkLevel(
  level: CompatibilityLevel,
  candidate: Schema,
  earlier: readonly EarlierVersion[],
  options: LevelOptions = {}
): Finding[] {
  if (level === 'NONE') return []
  const own = `v${options.version ?? (earlier.at(-1)?.version ?? 0) + 1}`
  const root = options.root ?? 'value'
  const findings: Finding[] = []
  const compared = level.endsWith('_TRANSITIVE') ? [...earlier].reverse() : earlier.slice(-1)
  for (const { version, schema } of compared) {
    if (!level.startsWith('BACKWARD')) {
      for (const one of compatibility(schema, candidate, { changing: 'writer', root })) {
        findings.push({ ...one, version, direction: 'FORWARD', says: `v${version} cannot read ${own}` })
      }
    }
    if (!level.startsWith('FORWARD')) {
      for (const one of compatibility(candidate, schema, { changing: 'reader', root })) {
        findings.push({ ...one, version, direction: 'BACKWARD', says: `${own} cannot read v${version}` })
      }
    }
  }
  return findings
}

/** Findings as plain text for people: a head line each, then both sides, the reason and the way to mend it. */
export function printFindings(findings: readonly Finding[]): string {
  return findings.map(printFinding).join('\n')
}

function printFinding(finding: Finding): string {
  return [
    `${finding.type} at ${finding.place} (${finding.path}): ${finding.says}`,
    `  because ${finding.reason}`,
    `  reader: ${finding.reader}`,
    `  writer: ${finding.writer}`,
    `  mend: ${finding.mend}`
  ].join('\n')
}
