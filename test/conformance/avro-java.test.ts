/**
 * The same schemas to Apache Avro Java 1.12.1 and to ours: accepted or refused, canonical text, parsing canonical form,
 * fingerprint, and every incompatibility of every pair must be equal. Another seed: ASSAY_SEED=7; more pairs: ASSAY_PAIRS=50000.
 */
import { canonicalText, compatibility, fingerprint64, parseSchema, parsingCanonicalForm, type Schema } from '@assay/avro'
import { AssayError } from '@assay/errors'
import { expect, test } from 'vitest'
import { askOracle, type Compared, type Described, type Question, whyNoOracle } from './avro-java/oracle.ts'
import { randomPair, seededRandom } from './avro-java/random-schemas.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? 20_260_801)
const pairs = Number(process.env['ASSAY_PAIRS'] ?? 2_000)
const reason = whyNoOracle()
if (reason !== undefined) console.log(`Java's verdicts on schemas are not compared: ${reason}`)

test.skipIf(reason !== undefined)(
  `Java agrees on ${pairs} random pairs (seed ${seed})`,
  () => {
    const random = seededRandom(seed)
    const cases = Array.from({ length: pairs }, () => randomPair(random))
    const questions: Question[] = cases.flatMap(pair => [{ schema: pair.reader }, { schema: pair.writer }, pair])
    const answers = askOracle(questions)
    const differences: unknown[] = []
    const counted = { refused: 0, compatible: 0, incompatible: 0 }

    for (const [index, pair] of cases.entries()) {
      const [ofReader, ofWriter, ofPair] = answers.slice(index * 3, index * 3 + 3) as [Described, Described, Compared]
      const reader = compareText(pair.reader, ofReader, differences)
      const writer = compareText(pair.writer, ofWriter, differences)
      if (reader === undefined || writer === undefined) {
        counted.refused++
        continue
      }
      const ours = compatibility(reader, writer).map(({ type, path, message }) => ({ type, path, message }))
      counted[ours.length === 0 ? 'compatible' : 'incompatible']++
      const java = ofPair.thrown === undefined ? ofPair.incompatibilities : [ofPair.thrown]
      const same = ofPair.thrown === undefined ? ours : ours.map(({ message }) => message)
      if (JSON.stringify(same) !== JSON.stringify(java)) differences.push({ ...pair, java, ours })
    }
    console.log(`avro-java, seed ${seed}: ${JSON.stringify(counted)}`)
    expect(differences.slice(0, 3)).toEqual([])
    expect(Math.min(counted.compatible, counted.incompatible)).toBeGreaterThan(pairs / 20)
  },
  120_000
)

/** Our reading of a text when both accept it; notes a difference otherwise. */
function compareText(text: string, java: Described, differences: unknown[]): Schema | undefined {
  let schema: Schema
  try {
    schema = parseSchema(text)
  } catch (error) {
    if (!(error instanceof AssayError)) throw error
    if (java.refused === undefined) differences.push({ text, java, ours: error.message })
    return undefined
  }
  const ours = {
    canonical: canonicalText(schema),
    parsing: parsingCanonicalForm(schema),
    fingerprint: String(fingerprint64(schema))
  }
  if (JSON.stringify(ours) === JSON.stringify(java)) return schema
  differences.push({ text, java, ours })
  return undefined
}
