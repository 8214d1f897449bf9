/** The topics of the broker that the command line talks to, for the length of one command; and the parsers of what its flags take. */
import { type TopicAdmin, topicAdmin } from '@assay/client'
import { AssayError } from '@assay/errors'
import type { Command } from 'commander'
import { configOf } from './options.ts'

export async function withAdmin(command: Command, run: (admin: TopicAdmin) => Promise<void>): Promise<void> {
  const { bootstrap, timeoutMs } = configOf(command)
  const admin = topicAdmin({ bootstrap, timeoutMs })
  try {
    await run(admin)
  } finally {
    await admin.close()
  }
}

/** An option's parser for a whole number from 1 up. */
export function wholeNumber(flag: string): (text: string) => number {
  return text => {
    const value = Number(text)
    if (Number.isSafeInteger(value) && value > 0) return value
    throw new AssayError('INVALID_ARGUMENT', { reason: `${flag} = ${text}: expected a whole number from 1 up` })
  }
}

/** A repeatable option's parser for name=value. */
export function collectPairs(flag: string): (text: string, before: Record<string, string>) => Record<string, string> {
  return (text, before) => {
    const at = text.indexOf('=')
    if (at > 0) return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
    throw new AssayError('INVALID_ARGUMENT', { reason: `${flag} ${text}: expected name=value, such as retention.ms=60000` })
  }
}
