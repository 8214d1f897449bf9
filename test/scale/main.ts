/**
 * A registry of 100,000 versions over 20,000 subjects: how fast it starts, and what it costs in memory.
 *
 *     npm run bench -- scale              about two minutes
 *     npm run bench -- scale --quick      a tenth of it
 *     npm run bench -- scale --json       the same figures as JSON on stdout
 */
import { parseArgs } from 'node:util'
import { machine } from '../bench/machine.ts'
import { render } from '../bench/table.ts'
import { measureScale } from './measure.ts'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } }
})
const share = options.quick ? 0.1 : 1
const figures = await measureScale({
  subjects: 20_000 * share,
  versionsPerSubject: 5,
  deletedSubjects: 2000 * share,
  say: what => console.error(what)
})
for (const fault of figures.faults.slice(0, 20)) console.error(`fault: ${fault}`)
console.log(options.json ? JSON.stringify({ machine: machine(), ...figures }, null, 2) : page())
if (figures.faults.length > 0) process.exitCode = 1

function page(): string {
  const { cpu, cores, memoryGiB, node } = machine()
  const { versions, registrationsPerSecond, readyMs, rssMiB, rssReadMiB, deletedVersions, heapMiB, faults } = figures
  const row = (what: string, figure: number, unit: string, goal = ''): Record<string, string> => ({
    what,
    figure: figure.toFixed(figure < 10 ? 1 : 0),
    unit,
    goal
  })
  const rows = [
    row('versions, each another schema of ten fields or more', versions, ''),
    row('registered, 64 in flight', registrationsPerSecond, '/s'),
    row(`start to ready, median of ${readyMs.length}`, readyMs.toSorted((a, b) => a - b)[readyMs.length >> 1]!, 'ms', '2000'),
    row('RSS after the start', rssMiB, 'MiB', '400'),
    row('RSS when all was listed and read by ID', rssReadMiB, 'MiB'),
    row('heap of an empty registry', heapMiB.empty, 'MiB'),
    row('heap in use', heapMiB.full, 'MiB'),
    row(`heap after ${deletedVersions} versions were deleted for ever`, heapMiB.afterDeletes, 'MiB'),
    row('given back, of their share', givenBack(), '%'),
    row('missing or wrong', faults.length, '', '0')
  ]
  return [`${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}`, '', render(rows)].join('\n')
}

function givenBack(): number {
  const { versions, deletedVersions, heapMiB } = figures
  const share = ((heapMiB.full - heapMiB.empty) * deletedVersions) / versions
  return ((heapMiB.full - heapMiB.afterDeletes) / share) * 100
}
