/** Reads a stream of server-sent events (WHATWG HTML, "Server-sent events"), with a bound on the size of one. */

export interface ServerSentEvent {
  /** The last ID that the stream told, this event's or an earlier one's; empty before the first. */
  readonly id: string
  readonly data: string
}

const messageCharsMax = 64 * 1024 * 1024

/** Comments and fields other than `id` and `data` are passed over; an event without data is none. Ends with the stream, an unfinished event left out. */
export async function* serverSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const text = new TextDecoder()
  let rest = ''
  let id = ''
  let data: string[] = []
  let size = 0
  for await (const chunk of body) {
    rest += text.decode(chunk, { stream: true })
    // A carriage return at the end may be half of a line end.
    const whole = rest.endsWith('\r') ? rest.slice(0, -1) : rest
    const lines = whole.split(/\r\n|\n|\r/)
    rest = `${lines.pop()}${rest.slice(whole.length)}`
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, data: data.join('\n') }
        data = []
        size = 0
        continue
      }
      const { field, value } = fieldOf(line)
      if (field === 'id' && !value.includes('\0')) id = value
      if (field !== 'data') continue
      data.push(value)
      size += value.length
    }
    if (size + rest.length > messageCharsMax)
      throw new Error(`an event of the stream is larger than ${messageCharsMax} characters`)
  }
}

function fieldOf(line: string): { readonly field: string; readonly value: string } {
  const colon = line.indexOf(':')
  if (colon < 0) return { field: line, value: '' }
  const value = line.slice(colon + 1)
  return { field: line.slice(0, colon), value: value.startsWith(' ') ? value.slice(1) : value }
}
