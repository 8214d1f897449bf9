/**
 * The one place that decides about every request, before its body is read: who sends it, and whether he may do what its route asks for.
 * A route that declares nothing, one that is not there among them, takes a known caller at least.
 */
import { AssayError, isAssayError } from '@assay/errors'
import { normalizedName, type Registry } from '@assay/registry'
import {
  ANONYMOUS,
  type AuditEvent,
  type AuditSink,
  type Credentials,
  type Operation,
  openAttempts,
  type Security,
  userPrincipal
} from '@assay/security'
import type { Clock } from '@assay/std'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Access } from './access.ts'
import { anybody, type Caller } from './caller.ts'
import { certifiedBy, credentialsOf } from './credentials.ts'
import { checkHost, checkOrigin } from './origin.ts'
import { type Asked, type Target, targetsOf } from './target.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Set before the route is called. */
    admission: Admission | null
    /** The number of the error that was answered. */
    errorCode: number | null
  }
}

export interface Admission {
  readonly caller: Caller
  readonly operation: Operation | null
  readonly targets: readonly Target[]
}

export interface GuardParts {
  readonly registry: Registry
  /** Absent: everybody may do everything. */
  readonly security: Security | undefined
  readonly audit: AuditSink | undefined
  /** Only this machine can reach the door, so nobody from elsewhere has any business with it. */
  readonly isLoopbackOnly: boolean
  readonly clock: Clock
}

export interface Guard {
  /** Sets `request.admission`, at once where the caller was known a short while ago; fails with what is to be answered. */
  admit(request: FastifyRequest, reply: FastifyReply): void | Promise<void>
  /** Whether the caller of an answer that goes on for long may still have it. */
  stillAdmits(request: FastifyRequest): boolean
  /** To be called when a request has been answered. */
  answered(request: FastifyRequest): void
}

const REALM = 'realm="assay"'
const challengeOf: Record<Credentials['kind'], string> = {
  password: `Basic ${REALM}, charset="UTF-8"`,
  token: `Bearer ${REALM}`
}

export function openGuard({ registry, security, audit, isLoopbackOnly, clock }: GuardParts): Guard {
  // Whoever is not known can ask as often as he likes, but not push others out of the audit: he is written down once a minute.
  const unknowns = openAttempts(clock, 1)
  const refusals = openAttempts(clock, 1)

  function admit(request: FastifyRequest, reply: FastifyReply): void | Promise<void> {
    if (!security && isLoopbackOnly) checkHost(request.headers)
    checkOrigin(request.method, request.headers)
    const access = request.routeOptions.config.access ?? 'listed'
    if (!security || access === 'open') return enter(anybody, request, access)
    const principal = identify(request, reply, security)
    if (typeof principal === 'string') return enter(callerOf(principal, security, request.ip), request, access)
    return principal.then(name => enter(callerOf(name, security, request.ip), request, access))
  }

  function identify(request: FastifyRequest, reply: FastifyReply, { logIn, kinds }: Security): string | Promise<string> {
    let credentials: Credentials | undefined
    try {
      credentials = credentialsOf(request.headers.authorization)
      if (credentials === undefined) {
        const certified = certifiedBy(request.raw)
        if (certified !== undefined) return certified
        const reason = `send ${kinds.map(kind => (kind === 'password' ? 'user and password' : 'a bearer token')).join(' or ')}`
        throw new AssayError('NOT_AUTHENTICATED', { reason })
      }
      const principal = logIn(credentials, request.ip)
      return typeof principal === 'string' ? principal : principal.catch(error => turnAway(error, credentials, request, reply))
    } catch (error) {
      return turnAway(error, credentials, request, reply)
    }
  }

  function turnAway(error: unknown, credentials: Credentials | undefined, request: FastifyRequest, reply: FastifyReply): never {
    if (!isAssayError(error)) throw error
    if (isAssayError(error, 'NOT_AUTHENTICATED')) {
      reply.header(
        'www-authenticate',
        security!.kinds.map(kind => challenge(kind, credentials))
      )
    }
    if (isAssayError(error, 'TOO_MANY_LOG_INS')) reply.header('retry-after', String(error.facts.seconds))
    const isAttempt = credentials !== undefined || request.headers.authorization !== undefined
    const once = isAssayError(error, 'TOO_MANY_LOG_INS') ? refusals : isAttempt ? undefined : unknowns
    if (once === undefined || once.begin(request.ip) === undefined) {
      const claimed = credentials?.kind === 'password' ? userPrincipal(credentials.name.slice(0, 256)) : ANONYMOUS
      const { access } = request.routeOptions.config
      report(request, {
        principal: claimed,
        operation: operationOf(access ?? 'listed'),
        resource: null,
        outcome: isAttempt ? 'failed' : 'denied',
        errorCode: error.row.registry ?? null
      })
    }
    throw error
  }

  function enter(caller: Caller, request: FastifyRequest, access: Access): void {
    const operation = operationOf(access)
    const targets = operation === null || !(security || audit) ? [] : targetsOf(request as Asked, registry)
    if (security && operation !== null) judge(caller, operation, targets, request)
    request.admission = { caller, operation, targets }
  }

  function judge(caller: Caller, operation: Operation, targets: readonly Target[], request: FastifyRequest): void {
    const { subject } = request.params as { readonly subject?: string }
    // What is judged is what the registry will be asked for: a name in another form would be another name there.
    if (subject !== undefined && normalizedName(subject) !== subject && normalizedName(subject) !== '') {
      throw new AssayError('ROUTE_NOT_FOUND', { method: request.method, path: request.url.slice(0, 200) })
    }
    const refused = targets.find(({ isAllowed }) => !isAllowed(caller.rights, operation))
    if (refused === undefined) return
    const error = refused.denial(caller.principal, caller.rights, operation)
    report(request, {
      principal: caller.principal,
      operation,
      resource: refused.resource,
      outcome: 'denied',
      errorCode: isAssayError(error) ? (error.row.registry ?? null) : null
    })
    throw error
  }

  function report(
    request: FastifyRequest,
    known: Pick<AuditEvent, 'principal' | 'operation' | 'resource' | 'outcome' | 'errorCode'>
  ): void {
    audit?.report({
      ...known,
      address: request.ip,
      request: `${request.method} ${(request.url.split('?', 1)[0] ?? '').slice(0, 1000)}`,
      requestId: request.id,
      atMs: clock.now()
    })
  }

  return {
    admit,
    stillAdmits(request) {
      const { admission } = request
      if (!security || !admission || admission.operation === null) return true
      const { caller, operation, targets } = admission
      const rights = security.rights(caller.principal, request.ip)
      return targets.every(({ isAllowed }) => isAllowed(rights, operation))
    },
    answered(request) {
      const { admission, errorCode } = request
      if (!audit || !admission || admission.operation === null || admission.operation === 'read') return
      const { caller, operation, targets } = admission
      report(request, {
        principal: caller.principal,
        operation,
        resource: targets[0]?.resource ?? null,
        outcome: 'allowed',
        errorCode
      })
    }
  }
}

const callerOf = (principal: string, security: Security, address: string): Caller => ({
  principal,
  rights: security.rights(principal, address)
})

const operationOf = (access: Access): Operation | null => (access === 'open' || access === 'listed' ? null : access)

/** To one who brought a token that is not taken, RFC 6750 has a word. */
const challenge = (kind: Credentials['kind'], brought: Credentials | undefined): string =>
  kind === 'token' && brought?.kind === 'token' ? `${challengeOf.token}, error="invalid_token"` : challengeOf[kind]
