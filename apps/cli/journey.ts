/**
 * The example journey as a process of its own, started by `assay dev` with the addresses of its doors: the client that it needs would stay in
 * the memory of the server. Ends with 0 when the journey went as it should.
 */
import { join } from 'node:path'
import { registryClient } from '@assay/client'
import pc from 'picocolors'
import { exitCodes } from './exit.ts'
import { line } from './print.ts'
import { readSchemaFiles } from './schemas/schema-folder.ts'

/** From a checkout; a published package comes without the examples. */
const EXAMPLES = join(import.meta.dirname, '../../examples/journey.ts')
const EXAMPLE_SCHEMAS = join(import.meta.dirname, '../../schemas')

type Journey = (options: {
  readonly http: string
  readonly kafka: string
  readonly print: (line: string) => void
}) => Promise<{ readonly produced: number; readonly refused: number; readonly consumed: number }>

const [http, kafka] = process.argv.slice(2) as [string, string]
process.exitCode = (await runJourney({ http, kafka })) ? exitCodes.ok : exitCodes.failure

async function runJourney({ http, kafka }: { readonly http: string; readonly kafka: string }): Promise<boolean> {
  line(pc.bold('Schemas'))
  const registry = registryClient({ url: http })
  for (const { subject, text, file } of readSchemaFiles([EXAMPLE_SCHEMAS])) {
    const schemaId = await registry.register(subject, { schema: text })
    line(`registered ${subject} as schema ID ${schemaId} ${pc.dim(file.slice(file.lastIndexOf('schemas')))}`)
  }
  line(pc.bold('\nEvents'))
  const { journey } = (await import(EXAMPLES)) as { journey: Journey }
  const { produced, refused, consumed } = await journey({ http, kafka, print: line })
  const worked = produced > 0 && refused === 1 && consumed === produced
  if (!worked) line(pc.red('The journey did not go as it should: one event refused, all others read back.'))
  return worked
}
