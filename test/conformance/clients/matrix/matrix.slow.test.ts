/** Every client at Apache Kafka 4.4 and at Assay, side by side. No cell where Kafka passes and Assay fails. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { render } from '../../../bench/table.ts'
import { type Peer, startApacheKafka } from '../../../peers/apache-kafka.ts'
import { type Served, serve } from '../../../served.ts'
import { matrixClients } from './clients.ts'
import { type Cell, cellsOf, comeUp, row } from './matrix.ts'

const [ASSAY, KAFKA] = ['Assay', 'Apache Kafka']
const rows: Record<string, string>[] = []
const faults: string[] = []
let served: Served
let peer: Peer | { readonly missing: string }

beforeAll(async () => {
  served = await serve({ args: ['--log-level', 'warn'] })
  peer = await startApacheKafka()
  if (!('missing' in peer)) await comeUp(peer.kafka)
}, 120_000)

afterAll(async () => {
  if (rows.length > 0) console.log([render(rows), ...faults].join('\n'))
  if (!('missing' in peer)) await peer.stop()
  expect(await served.stop()).toBe(0)
})

test.for(matrixClients.map(client => [client.name, client] as const))(
  '%s',
  { timeout: 900_000 },
  async ([name, client], context) => {
    const places = [...('missing' in peer ? [] : [{ name: KAFKA, kafka: peer.kafka }]), { name: ASSAY, kafka: served.kafka }]
    const cells = await cellsOf(client, places)
    if ('missing' in cells) return context.skip(cells.missing)
    for (const { name: place } of places) rows.push(row(name, cells, place))
    for (const { step, outcomes } of cells) {
      for (const [place, outcome] of Object.entries(outcomes)) {
        if (outcome !== undefined && outcome !== 'ok') faults.push(`${name}, ${step} at ${place}: ${outcome}`)
      }
    }
    const ours = ({ outcomes }: Cell): string | undefined => outcomes[ASSAY]
    // A step that Kafka itself fails is the client's own affair; one that we do not serve is not taken.
    const worse = cells.filter(cell => {
      const theirs = 'missing' in peer ? 'ok' : cell.outcomes[KAFKA]
      return theirs === 'ok' && ours(cell) !== undefined && ours(cell) !== 'ok'
    })
    expect(worse.map(cell => `${cell.step}: ${ours(cell)}`)).toEqual([])
    expect(cells.some(cell => ours(cell) === 'ok')).toBe(true)
  }
)
