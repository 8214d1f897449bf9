/**
 * The list of messages with which Confluent's registry refuses an incompatible Avro schema. Clients show and compare these texts,
 * so they are Confluent's letter by letter: of the newest version that breaks, each incompatibility, then that version, then the settings.
 */
import type { IncompatibilityType } from './compatibility-rules.ts'
import type { CompatibilityLevel, EarlierVersion, Finding } from './levels.ts'

export interface ConfluentContext {
  readonly level: CompatibilityLevel
  readonly earlier: readonly Pick<EarlierVersion, 'version' | 'text'>[]
  /** The registry's `validateFields` setting in scope. Default false. */
  readonly validateFields?: boolean
}

/** A longer schema text is cut there. */
const oldSchemaMax = 10 * 1024

/** `findings` as checkLevel gives them; an empty list gives an empty list. */
export function confluentMessages(findings: readonly Finding[], context: ConfluentContext): string[] {
  const [newest] = findings
  if (newest === undefined) return []
  const ofVersion = findings.filter(finding => finding.version === newest.version)
  const messages = ofVersion.map(printMessage)
  // FULL names the old schema only when it is the candidate that cannot read.
  const namesOld = !context.level.startsWith('FULL') || ofVersion.some(finding => finding.direction === 'BACKWARD')
  const old = context.earlier.find(({ version }) => version === newest.version)
  if (namesOld && old !== undefined) {
    messages.push(`{oldSchemaVersion: ${old.version}}`)
    messages.push(
      old.text.length <= oldSchemaMax
        ? `{oldSchema: '${old.text}'}`
        : `{oldSchema: <truncated> '${old.text.slice(0, oldSchemaMax)}...'}`
    )
  }
  messages.push(`{validateFields: '${context.validateFields ?? false}', compatibility: '${context.level}'}`)
  return messages
}

function printMessage({ type, path, message, direction }: Finding): string {
  if (type === 'AMBIGUOUS_ALIAS') return `Unexpected exception during compatibility check: ${message}`
  const [reader, writer] = direction === 'BACKWARD' ? (['new', 'old'] as const) : (['old', 'new'] as const)
  const description = descriptions[type]({ path, message, reader, writer })
  return `{errorType:'${type}', description:'${description}', additionalInfo:'${message}'}`
}

interface Facts {
  readonly path: string
  readonly message: string
  readonly reader: 'new' | 'old'
  readonly writer: 'new' | 'old'
}

const descriptions: Readonly<Record<Exclude<IncompatibilityType, 'AMBIGUOUS_ALIAS'>, (facts: Facts) => string>> = {
  FIXED_SIZE_MISMATCH: ({ path, reader, writer }) =>
    `The size of FIXED type field at path '${path}' in the ${reader} schema does not match with the ${writer} schema`,
  TYPE_MISMATCH: ({ path, reader, writer }) =>
    `The type (path '${path}') of a field in the ${reader} schema does not match with the ${writer} schema`,
  NAME_MISMATCH: ({ path }) => `The name of the schema has changed (path '${path}')`,
  MISSING_ENUM_SYMBOLS: ({ path, message, reader, writer }) =>
    `The ${reader} schema is missing enum symbols '${message}' at path '${path}' in the ${writer} schema`,
  MISSING_UNION_BRANCH: ({ path, reader, writer }) =>
    `The ${reader} schema is missing a type inside a union field at path '${path}' in the ${writer} schema`,
  READER_FIELD_MISSING_DEFAULT_VALUE: ({ path, message, reader, writer }) =>
    `The field '${message}' at path '${path}' in the ${reader} schema has no default value and is missing in the ${writer} schema`
}
