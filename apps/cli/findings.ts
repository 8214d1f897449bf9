/** Findings about schema files as people read them: file and place first, then what is wrong and how to mend it. */
import { locate, type Position } from '@assay/avro'
import pc from 'picocolors'
import { say } from './print.ts'

export interface Findings {
  readonly says: string
  readonly type?: string
  /** Where in the data. */
  readonly place?: string
  /** JSON pointer into the reader's schema. */
  readonly path?: string
  /** BACKWARD: the file is the reader. */
  readonly direction?: string
  readonly reason?: string
  readonly reader?: string
  readonly writer?: string
  readonly mend?: string
}

export function printFindings(file: string, findings: readonly Findings[], text?: string): void {
  for (const finding of findings) {
    const at = text === undefined ? undefined : positionOf(finding, text)
    const head = at ? `${file}:${at.line}:${at.column}` : file
    say(`${pc.bold(head)} ${pc.red(finding.type ?? 'REFUSED')} ${finding.place ? `${finding.place}: ` : ''}${finding.says}`)
    if (finding.path) say(`  path    ${finding.path}`)
    if (finding.reason) say(`  because ${finding.reason}`)
    if (finding.reader) say(`  reader  ${finding.reader}`)
    if (finding.writer) say(`  writer  ${finding.writer}`)
    if (finding.mend) say(`  mend    ${finding.mend}`)
  }
}

/** The place in the file, when the finding's path leads into it. */
function positionOf({ path, direction }: Findings, text: string): Position | undefined {
  if (path === undefined || direction !== 'BACKWARD') return undefined
  const steps = path.split('/').filter(step => step !== '')
  return locate(
    text,
    steps.map(step => (/^\d+$/.test(step) ? Number(step) : step))
  )
}
