/**
 * What connections cost that do nothing, and what others wait beside them.
 *
 *     npm run bench -- connections            half a minute
 *     npm run bench -- connections --json     the same figures as JSON on stdout
 */
import { parseArgs } from 'node:util'
import { machine } from '../bench/machine.ts'
import { render } from '../bench/table.ts'
import { measureConnections, rowsOf } from './connections.ts'

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const figures = await measureConnections({ idle: 5000, slow: 2000, measureMs: 2000 })
const { cpu, cores, memoryGiB, node } = machine()
const head = `${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}`
console.log(
  options.json ? JSON.stringify({ machine: machine(), ...figures }, null, 2) : [head, '', render(rowsOf(figures))].join('\n')
)
