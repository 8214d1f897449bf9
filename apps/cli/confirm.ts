/** Asks before something is done that cannot be undone; a script, which nobody watches, is not asked. */
import { createInterface } from 'node:readline/promises'
import { say } from './print.ts'

/** True when it may be done: after `y` at a terminal, with `--yes`, or without a terminal. */
export async function confirmed(question: string, { yes }: { readonly yes: boolean }): Promise<boolean> {
  if (yes || !process.stdin.isTTY || !process.stderr.isTTY) return true
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-D at the question answers nothing, and that is no.
  const answer = await Promise.race([
    terminal.question(`${question} [y/N] `),
    new Promise<string>(resolve => terminal.once('close', () => resolve('')))
  ])
  terminal.close()
  if (/^y(es)?$/i.test(answer.trim())) return true
  say('Nothing was done.')
  return false
}
