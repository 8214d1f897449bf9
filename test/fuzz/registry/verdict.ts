/** Whether a server bore with a malformed request as it should: what was wrong with its answer, in words. */
import type { Malformed } from './malformed.ts'
import type { Answer, Exchange } from './wire-client.ts'

type Asked = Pick<Malformed, 'isHttp' | 'mayPass' | 'isHead' | 'answers'>

/** Empty when every answer is a refusal with code and message, and nothing but broken HTTP was left without one. */
export function faultsOf({ isHttp, mayPass = false, isHead = false, answers: expected }: Asked, exchange: Exchange): string[] {
  const { answers, isClosed, millis, rubbish } = exchange
  const faults = answers.flatMap(answer => faultsOfAnswer(answer, { mayPass, isHead }))
  if (millis < 0) faults.push('neither answered nor cut off in time')
  else if (answers.length < expected && isClosed && isHttp) faults.push('cut off without an answer')
  // A connection that is closed with something unread in it is reset, and that takes the end of an answer on its way with it.
  const isCutShort = !isHttp && isClosed && rubbish.startsWith('HTTP/1.1 ')
  if (rubbish !== '' && !isCutShort) faults.push(`bytes that are no answer: ${JSON.stringify(rubbish.slice(0, 60))}`)
  return faults
}

function faultsOfAnswer(
  { status, contentType, body }: Answer,
  { mayPass, isHead }: Required<Pick<Asked, 'mayPass' | 'isHead'>>
): string[] {
  if (status >= 500) return [`answered ${status}: ${body.slice(0, 200)}`]
  if (status < 400) return mayPass ? [] : [`let through with ${status}: ${body.slice(0, 200)}`]
  if (isHead) return []
  const faults: string[] = []
  if (!isFailure(body)) faults.push(`${status} without error_code and message: ${JSON.stringify(body.slice(0, 120))}`)
  if (!/^application\/(vnd\.schemaregistry(\.v1)?\+)?json\b/.test(contentType))
    faults.push(`${status} as ${contentType || 'nothing'}`)
  return faults
}

function isFailure(body: string): boolean {
  try {
    const read: unknown = JSON.parse(body)
    if (typeof read !== 'object' || read === null || !('error_code' in read) || !('message' in read)) return false
    return Number.isInteger(read.error_code) && typeof read.message === 'string' && read.message !== ''
  } catch {
    return false
  }
}
