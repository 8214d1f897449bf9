/**
 * What is measured, by name, each beside its peers in one run:
 *
 *     npm run bench                       the broker beside Apache Kafka, under Kafka's own performance tools (also `broker`)
 *     npm run bench -- wire               the same two under a client of our own that costs little
 *     npm run bench -- log                the log in process: partitions, write amplification, reopening, reading far behind
 *     npm run bench -- registry           the registry beside Apicurio Registry
 *     npm run bench -- scale              a registry of 100,000 versions: start, memory
 *
 * Options stand behind the name; each bench tells its own.
 */

const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  broker: () => import('./broker/main.ts'),
  wire: () => import('./wire/main.ts'),
  log: () => import('./log/main.ts'),
  registry: () => import('./registry/main.ts'),
  scale: () => import('../scale/main.ts')
}

const named = process.argv[2]
const isNamed = named !== undefined && !named.startsWith('-')
// What stands behind the name is the business of the bench.
if (isNamed) process.argv.splice(2, 1)
const bench = benches[isNamed ? named : 'broker']
if (bench === undefined) {
  console.error(`bench: there is no ${named}; name ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
await bench()
