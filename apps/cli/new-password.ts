/** Where a new password comes from: a pipe, a terminal that does not show it, or chance. Never an argument, which others can read. */
import { createInterface } from 'node:readline'
import { AssayError } from '@assay/errors'
import { PASSWORD_BYTES_MAX, type RandomBytes } from '@assay/security'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const BACKSPACE = '\u007f'
/** 24 letters and digits. */
const GENERATED_BYTES = 18

/** One that nobody chose. */
export const generatedPassword = (random: RandomBytes): string => random(GENERATED_BYTES).toString('base64url')

/** The first line of stdin; at a terminal it is asked for twice. Fails with INVALID_ARGUMENT. */
export async function newPassword(name: string): Promise<string> {
  const password = process.stdin.isTTY ? await askTwice(name) : await firstLine()
  if (password === '') throw refused('A password cannot be empty')
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) throw refused(`A password has at most ${PASSWORD_BYTES_MAX} bytes`)
  return password
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line
  throw refused('No password came on stdin; at a terminal it is asked for, and --generate makes one')
}

async function askTwice(name: string): Promise<string> {
  const first = await ask(`Password for ${name}: `)
  if (first !== (await ask('The same again: '))) throw refused('These were two different passwords; nothing was changed')
  return first
}

/** Reads a line from the terminal without showing it. */
function ask(question: string): Promise<string> {
  const { stdin, stderr } = process
  // Before the question: what is typed at once must not be shown either.
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  stderr.write(question)
  return new Promise((resolve, reject) => {
    let typed = ''
    const end = (): void => {
      stdin.setRawMode(false)
      stdin.pause()
      stdin.off('data', take)
      stderr.write('\n')
    }
    const take = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n') {
          end()
          resolve(typed)
          return
        }
        if (character === CTRL_C || character === CTRL_D) {
          end()
          reject(refused('Nothing was changed'))
          return
        }
        typed = character === BACKSPACE || character === '\b' ? [...typed].slice(0, -1).join('') : typed + character
      }
    }
    stdin.on('data', take)
  })
}

const refused = (reason: string): AssayError => new AssayError('INVALID_ARGUMENT', { reason })
