/** A process to be killed: appends to two partitions together as fast as it can, and tells each acknowledgement on stdout. */
import { silentLogger, systemClock } from '@assay/std'
import { openLog } from '../directory.ts'
import { batchOf, TOPIC_A, TOPIC_B } from './logs.ts'

const [directory, round] = process.argv.slice(2)
const log = await openLog({ directory: directory!, clock: systemClock, logger: silentLogger, checkpointBytes: 5000 })
const partitions = [log.partition({ topicId: TOPIC_A, partition: 0 }), log.partition({ topicId: TOPIC_B, partition: 3 })]

async function writeOn(lane: number): Promise<never> {
  for (let at = 0; ; at++) {
    const name = `${round}-${lane}-${at}`
    const places = await log.appendAll(partitions.map(partition => ({ log: partition, batch: batchOf(name) })))
    process.stdout.write(`${places.map(({ baseOffset }) => baseOffset).join(' ')} ${name} .\n`)
  }
}

process.stdout.write('open\n')
await Promise.all([0, 1, 2].map(writeOn))
