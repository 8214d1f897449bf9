/** Findings about schema files as people read them: file and place first, then what is wrong and how to mend it. */
import { locate, type Position } from '@assay/avro'
import pc from 'picocolors'
import { say } from './print.ts'

export interface Findings {
  readonly says: string
  readonly type?: string
  /** Where in the data. */
  readonly place?: string
  /** JSON pointer into the reader's schema, as Java gives it. */
  readonly path?: string
  /** JSON pointers that go on into the branches of unions. */
  readonly readerPath?: string
  readonly writerPath?: string
  /** BACKWARD: the file is the reader. */
  readonly direction?: string
  readonly reason?: string
  readonly reader?: string
  readonly writer?: string
  readonly mend?: string
  /** It is let through. */
  readonly isWarning?: boolean
}

export function printFindings(file: string, findings: readonly Findings[], text?: string): void {
  for (const finding of findings) {
    const at = text === undefined ? undefined : positionOf(finding, text)
    const head = at ? `${file}:${at.line}:${at.column}` : file
    say(
      `${pc.bold(head)} ${finding.isWarning ? pc.yellow(`WARNING ${finding.type}`) : pc.red(finding.type ?? 'REFUSED')} ${finding.place ? `${finding.place}: ` : ''}${finding.says}`
    )
    if (finding.path) say(`  path    ${finding.path}`)
    if (finding.reason) say(`  because ${finding.reason}`)
    if (finding.reader) say(`  reader  ${finding.reader}`)
    if (finding.writer) say(`  writer  ${finding.writer}`)
    if (finding.mend) say(`  mend    ${finding.mend}`)
  }
}

/** The place in the file: BACKWARD it is the reader, FORWARD the writer. */
function positionOf({ path, readerPath = path, writerPath, direction }: Findings, text: string): Position | undefined {
  const own = direction === 'FORWARD' ? writerPath : readerPath
  if (own === undefined) return undefined
  const steps = own.split('/').filter(step => step !== '')
  return locate(
    text,
    steps.map(step => (/^\d+$/.test(step) ? Number(step) : step))
  )
}
