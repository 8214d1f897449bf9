/** Ends every run with `N passed, N failed[, N skipped]`, counted from the real results; says why a test was skipped. */
import type { Reporter, TestCase, TestModule } from 'vitest/node'

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const cases = modules.flatMap(module => [...module.children.allTests()])
    const count = (state: string): number => cases.filter(test => test.result().state === state).length
    // A file that does not load has no cases; it is a failure all the same.
    const brokenFiles = modules.filter(module => module.state() === 'failed' && module.errors().length > 0).length
    const failed = count('failed') + brokenFiles + unhandled.length
    const skipped = cases.filter(test => test.result().state === 'skipped')
    for (const test of skipped) console.log(`skipped: ${test.fullName}${noteOf(test)}`)
    console.log(`${count('passed')} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`)
  }
}

function noteOf(test: TestCase): string {
  const result = test.result()
  return result.state === 'skipped' && result.note ? ` (${result.note})` : ''
}
