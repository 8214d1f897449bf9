/** Every file of the repository that is printed from something else: what it holds is said here, who writes it is scripts/generate.ts. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateTypeScript, topicPartOf } from '@assay/codegen'
import { renderSettings } from '@assay/config'
import { renderTopicSettings } from '@assay/engine'
import { type ErrorRow, table } from '@assay/errors'
import { renderApis } from '@assay/protocol'
import { backupRoutes, bind, eventRoutes, registryRoutes, renderOpenApi } from '@assay/registry-service'
import wabt from 'wabt'
import { drawSvg, readGraph } from './import-graph.ts'

export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string
  readonly text: string
}

export async function generatedFiles(root: string): Promise<GeneratedFile[]> {
  return [
    { path: 'docs/import-graph.svg', text: drawSvg(readGraph(root)) },
    { path: 'docs/reference/apis.md', text: renderApis() },
    { path: 'docs/reference/errors.md', text: renderErrors() },
    {
      path: 'docs/reference/openapi.json',
      text: renderOpenApi([registryRoutes, eventRoutes, backupRoutes].flatMap(routes => bind({} as never, routes as never)))
    },
    { path: 'docs/reference/settings.md', text: renderSettings() },
    { path: 'docs/reference/topic-settings.md', text: renderTopicSettings() },
    { path: 'libs/records/blocks-wasm.ts', text: await renderBlocks(root) },
    ...exampleTypes(root)
  ]
}

/** The TypeScript of the example schemas, as `assay generate schemas --out examples/generated` writes it. */
function exampleTypes(root: string): GeneratedFile[] {
  const inputs = globSync('schemas/*/{key,value}.avsc', { cwd: root }).map(file => {
    const path = file.replaceAll('\\', '/')
    return { file: path, text: readFileSync(join(root, file), 'utf8'), ...topicPartOf(path) }
  })
  return generateTypeScript(inputs).map(({ path, text }) => ({ path: `examples/generated/${path}`, text }))
}

async function renderBlocks(root: string): Promise<string> {
  const source = 'libs/records/blocks.wat'
  const { parseWat } = await wabt()
  const { buffer } = parseWat(source, readFileSync(join(root, source), 'utf8')).toBinary({})
  const lines = Buffer.from(buffer)
    .toString('base64')
    .match(/.{1,120}/g)!
    .map(line => `  '${line}'`)
  return [
    `/** Generated from \`${source}\` by \`npm run generate\`: WebAssembly, in base64. */`,
    'export const code: string =',
    lines.join(' +\n'),
    ''
  ].join('\n')
}

function renderErrors(): string {
  const rows = Object.entries<ErrorRow>(table).map(([name, { says, http, registry, kafka, retriable }]) => {
    const text = says.replaceAll('|', '\\|')
    return `| ${name} | ${http ?? ''} | ${registry ?? ''} | ${kafka ?? ''} | ${retriable ? 'yes' : ''} | ${text} |`
  })
  return [
    '# Errors',
    '',
    'Generated from `libs/errors/table.ts` by `npm run generate`. HTTP answers carry `error_code` and `message`; Kafka answers carry the code of the name.',
    '',
    '| name | HTTP status | error_code | Kafka | retriable | text |',
    '|---|---|---|---|---|---|',
    ...rows,
    ''
  ].join('\n')
}
