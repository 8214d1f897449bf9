/** `assay import FILE`: puts what `assay export` wrote into a registry, IDs and versions kept. */
import { Command } from 'commander'
import { exitCodes } from '../exit.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printFacts, say } from '../print.ts'
import { progressBar } from '../progress-bar.ts'
import { registryOf } from '../registry-access.ts'
import { contextPrefix } from '../schemas/schema-ref.ts'
import { differences, planImport, runImport } from '../transfer/registry-import.ts'
import { movedTo } from '../transfer/snapshot.ts'
import { readSnapshot } from '../transfer/snapshot-file.ts'

interface ImportCommandOptions {
  readonly context?: string
  readonly force: boolean
  readonly dryRun: boolean
}

export function importCommand(): Command {
  const command = new Command('import')
    .description('register the schemas of an export with their IDs, in mode IMPORT; run again, it goes on where it broke off')
    .argument('<file>', 'JSON lines as assay export writes them, or - for stdin')
    .option('--context <name>', 'import what stands in the default context into this one')
    .option('--force', 'beside subjects that the file does not hold', false)
    .option('--dry-run', 'change nothing, say what would happen', false)
  return withSettings(command).action(async (file: string, { context, force, dryRun }: ImportCommandOptions) => {
    const registry = registryOf(configOf(command))
    const read = await readSnapshot(file)
    for (const { place, reason } of read.passedOver) say(`passed over ${place}: ${reason}`)
    const snapshot = movedTo(read.snapshot, contextPrefix(context))
    const plan = await planImport(registry, snapshot, { force })
    if (!dryRun) {
      const stopping = new AbortController()
      const stop = (): void => stopping.abort()
      // Ctrl-C must not leave the registry in mode IMPORT.
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
      await runImport(registry, plan, { signal: stopping.signal, progress: progressBar })
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
    }
    const found = dryRun ? [] : await differences(registry, snapshot)
    const facts = {
      registered: plan.toRegister.length,
      alreadyThere: plan.alreadyThere,
      softDeleted: plan.toDelete.length,
      configs: snapshot.configs.length,
      modes: snapshot.modes.length,
      ...(read.passedOver.length > 0 && { passedOver: read.passedOver.length }),
      ...(found.length > 0 && { differences: found })
    }
    printFacts(facts, formatOf(command))
    if (dryRun && formatOf(command) === 'table') say('A dry run: nothing was changed.')
    if (found.length > 0) process.exitCode = exitCodes.failure
  })
}
