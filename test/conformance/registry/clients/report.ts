/** How a script in TypeScript tells of its steps: one JSON line each on stdout. */
import type { StepName } from './scenario.ts'

/** Runs one step; a failed one is told, and the next goes on. */
export async function step(name: StepName, run: () => Promise<void>): Promise<void> {
  try {
    await run()
    console.log(JSON.stringify({ step: name }))
  } catch (error) {
    console.log(JSON.stringify({ step: name, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
  }
}

/** The error with which a call is refused. Throws when it is not. */
export async function refusalOf(call: Promise<unknown>): Promise<{ status?: number; errorCode?: number; message: string }> {
  const answer = await call.then(
    value => ({ value }),
    (error: { message: string }) => ({ error })
  )
  if ('value' in answer) throw new Error(`expected a refusal, got ${JSON.stringify(answer.value)}`)
  return answer.error
}
