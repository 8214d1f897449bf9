/**
 * DescribeUserScramCredentials and AlterUserScramCredentials over the security file (KIP-554). A password that is set here never comes to
 * the server, so what it is checked by at the HTTP door is taken away with the one of before: the user then logs in there by his SCRAM key.
 */
import { isAssayError } from '@assay/errors'
import {
  type alterUserScramCredentials,
  type describeUserScramCredentials,
  errorCode,
  errorCodeOf,
  type KafkaError,
  type RequestOf,
  type ResponseOf
} from '@assay/protocol'
import {
  faultOfUserName,
  SCRAM_ITERATIONS_MAX,
  SCRAM_ITERATIONS_MIN,
  type ScramKey,
  type ScramMechanism,
  type Security,
  scramKeyOf
} from '@assay/security'

/** ScramMechanism of Kafka. */
const mechanismOf: readonly (ScramMechanism | undefined)[] = [undefined, 'SCRAM-SHA-256', 'SCRAM-SHA-512']

type Described = ResponseOf<typeof describeUserScramCredentials>
type Altered = ResponseOf<typeof alterUserScramCredentials>
type Alteration = RequestOf<typeof alterUserScramCredentials>

const OFF = 'There is no security file, so there are no users.'

export function answerDescribeScramUsers(
  security: Security | undefined,
  { users: asked }: RequestOf<typeof describeUserScramCredentials>
): Described {
  const whole = { throttleTimeMs: 0, errorCode: 0, errorMessage: null, results: [] }
  if (security === undefined) return { ...whole, errorCode: errorCode('SECURITY_DISABLED'), errorMessage: OFF }
  const { users } = security.rules
  const infosOf = (name: string) =>
    mechanismOf.flatMap((known, mechanism) => {
      const key = known && users.get(name)?.scram?.get(known)
      return key ? [{ mechanism, iterations: key.iterations }] : []
    })
  const all = asked === null || asked.length === 0
  const names = all ? [...users.keys()].filter(name => infosOf(name).length > 0) : asked.map(({ name }) => name)
  const seen = new Set<string>()
  const results = [...new Set(names)].map(user => {
    const credentialInfos = infosOf(user)
    const failure = (error: KafkaError, errorMessage: string) => ({
      user,
      errorCode: errorCode(error),
      errorMessage,
      credentialInfos: []
    })
    if (!all && names.filter(name => name === user).length > 1)
      return failure('DUPLICATE_RESOURCE', `User ${user} is named twice.`)
    seen.add(user)
    if (credentialInfos.length === 0) return failure('RESOURCE_NOT_FOUND', `User ${user} has no SCRAM credentials.`)
    return { user, errorCode: 0, errorMessage: null, credentialInfos }
  })
  return { ...whole, results }
}

interface Change {
  readonly mechanism: ScramMechanism
  /** Null takes it away. */
  readonly key: ScramKey | null
}

/** All of a user's changes or none. */
export async function answerAlterScramUsers(security: Security | undefined, body: Alteration): Promise<Altered> {
  const names = [...new Set([...body.deletions, ...body.upsertions].map(({ name }) => name))]
  const results = new Map<string, Altered['results'][number]>()
  const refuse = (user: string, error: KafkaError, errorMessage: string): void => {
    results.set(user, { user, errorCode: errorCode(error), errorMessage })
  }
  const changes = new Map<string, Change[]>()
  for (const user of names) {
    if (security === undefined) refuse(user, 'SECURITY_DISABLED', OFF)
    else {
      const read = readChanges(user, body)
      if (Array.isArray(read)) changes.set(user, read)
      else refuse(user, read.error, read.says)
    }
  }
  try {
    await security?.edit(file => {
      for (const [user, ofUser] of changes) {
        const known = file.rules.users.get(user)?.scram
        const missing = ofUser.find(({ key, mechanism }) => key === null && !known?.has(mechanism))
        if (missing !== undefined) {
          refuse(user, 'RESOURCE_NOT_FOUND', `User ${user} has no credential of ${missing.mechanism}.`)
          continue
        }
        for (const { mechanism, key } of ofUser) if (key !== null) file.setScramKey(user, mechanism, key)
        for (const { mechanism, key } of ofUser) if (key === null) file.removeScramKey(user, mechanism)
        results.set(user, { user, errorCode: 0, errorMessage: null })
      }
    })
  } catch (error) {
    if (!isAssayError(error)) throw error
    for (const user of changes.keys()) results.set(user, { user, errorCode: errorCodeOf(error), errorMessage: error.message })
  }
  return { throttleTimeMs: 0, results: names.map(user => results.get(user)!) }
}

type Fault = { readonly error: KafkaError; readonly says: string }

function readChanges(user: string, { deletions, upsertions }: Alteration): Change[] | Fault {
  const fault = (error: KafkaError, says: string): Fault => ({ error, says })
  const reason = faultOfUserName(user)
  if (reason !== undefined) return fault('UNACCEPTABLE_CREDENTIAL', `User ${user.slice(0, 100)}: ${reason}.`)
  const changes: Change[] = []
  type Wanted = Alteration['deletions'][number] & Partial<Alteration['upsertions'][number]>
  const all: readonly Wanted[] = [...deletions, ...upsertions]
  for (const wanted of all.filter(({ name }) => name === user)) {
    const { mechanism: number, iterations, salt, saltedPassword: salted } = wanted
    const mechanism = mechanismOf[number]
    if (mechanism === undefined) return fault('UNSUPPORTED_SASL_MECHANISM', `There is no mechanism of number ${number}.`)
    if (changes.some(change => change.mechanism === mechanism)) {
      return fault('DUPLICATE_RESOURCE', `${mechanism} of user ${user} is changed twice in one request.`)
    }
    if (iterations === undefined || salt === undefined || salted === undefined) {
      changes.push({ mechanism, key: null })
      continue
    }
    if (iterations < SCRAM_ITERATIONS_MIN)
      return fault('UNACCEPTABLE_CREDENTIAL', `Less than ${SCRAM_ITERATIONS_MIN} iterations.`)
    if (iterations > SCRAM_ITERATIONS_MAX)
      return fault('UNACCEPTABLE_CREDENTIAL', `More than ${SCRAM_ITERATIONS_MAX} iterations.`)
    if (salt.length === 0 || salt.length > 1024) return fault('UNACCEPTABLE_CREDENTIAL', 'The salt is empty or too long.')
    const key = scramKeyOf(mechanism, { salted, salt, iterations })
    if (key === undefined) return fault('UNACCEPTABLE_CREDENTIAL', `The salted password has not the length of ${mechanism}.`)
    changes.push({ mechanism, key })
  }
  return changes
}
