/** kcat, where it is installed (apt install kcat), takes the steps of the matrix: kcat.ts BOOTSTRAP PREFIX STEPS. It makes topics by asking for them. */
import { spawn } from 'node:child_process'
import { check, exactly, inOrder, numbers, run, until } from './program.ts'

const [bootstrap, prefix] = process.argv.slice(2) as [string, string]

function kcat(args: readonly string[], input = ''): Promise<string> {
  const child = spawn('kcat', ['-b', bootstrap, '-q', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => (stdout += chunk))
  child.stderr.on('data', chunk => (stderr += chunk))
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => (code === 0 ? resolve(stdout) : reject(new Error(`kcat ${args.join(' ')}: ${stderr}`))))
  })
}

const lines = (text: string): string[] => text.split('\n').filter(Boolean)
const produce = (topic: string, rows: readonly string[], ...more: string[]): Promise<string> =>
  kcat(['-P', '-t', topic, '-K', ':', ...more], `${rows.join('\n')}\n`)
const read = async (topic: string, ...more: string[]): Promise<{ key: string; value: string; partition: number }[]> =>
  lines(await kcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-f', '%p %k %s\\n', ...more])).map(line => {
    const [partition, key, value] = line.split(' ') as [string, string, string]
    return { key, value, partition: Number(partition) }
  })

await run({
  async topics() {
    const topic = `${prefix}-topics`
    await kcat(['-L', '-t', topic])
    await until(async () => (await kcat(['-L'])).includes(`"${topic}"`))
  },
  async codecs() {
    const topic = `${prefix}-codecs`
    const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
    for (const name of names) await produce(topic, [`k:${name}`], '-z', name)
    exactly(
      (await read(topic)).map(({ value }) => value),
      names
    )
  },
  async order() {
    const topic = `${prefix}-order`
    await produce(
      topic,
      numbers(200).map(n => `k${n % 10}:${n}`)
    )
    inOrder(await read(topic), 200)
  },
  async time() {
    const topic = `${prefix}-time`
    await produce(topic, ['k:early'])
    await new Promise(resolve => setTimeout(resolve, 50))
    const between = Date.now()
    await new Promise(resolve => setTimeout(resolve, 50))
    await produce(topic, ['k:late'])
    const from = lines(await kcat(['-C', '-t', topic, '-o', `s@${between}`, '-e', '-f', '%s\\n']))
    exactly(from, ['late'])
    check((await kcat(['-Q', '-t', `${topic}:0:${between}`])).includes('offset 1'), 'the offset is told')
  },
  async idempotence() {
    const topic = `${prefix}-idempotence`
    await produce(
      topic,
      numbers(100).map(n => `k:${n}`),
      '-X',
      'enable.idempotence=true'
    )
    exactly(
      (await read(topic)).map(({ value }) => value),
      numbers(100).map(String)
    )
  },
  async transactions() {
    const topic = `${prefix}-transactions`
    await produce(topic, ['k:a', 'k:b'], '-X', `transactional.id=${prefix}-id`)
    exactly(
      (await read(topic, '-X', 'isolation.level=read_committed')).map(({ value }) => value),
      ['a', 'b']
    )
  }
})
