export { type Acl, ANY, ANY_PRINCIPAL, isSameAcl, type Rights, superRights, type Verdict } from './acl.ts'
export { type Attempts, openAttempts } from './attempts.ts'
export type { AuditEvent, AuditSink } from './audit.ts'
export { certifiedPrincipal } from './certificate.ts'
export { subjectOf } from './distinguished-name.ts'
export {
  CLUSTER,
  isOperationOf,
  type Operation,
  operations,
  operationsOf,
  REGISTRY,
  type Resource,
  type ResourceType,
  resourceTypes
} from './operation.ts'
export { hashPassword, PASSWORD_BYTES_MAX, type RandomBytes, type ScryptHash } from './password.ts'
export { ANONYMOUS, isPrincipal, userPrincipal } from './principal.ts'
export {
  isScramMechanism,
  SCRAM_ITERATIONS_MAX,
  SCRAM_ITERATIONS_MIN,
  type ScramExchange,
  type ScramKey,
  type ScramMechanism,
  scramKeyOf,
  scramKeysOf,
  scramMechanisms
} from './scram.ts'
export { type Credentials, openSecurity, type Proof, type Security, type SecurityParts } from './security.ts'
export {
  faultOfAcl,
  faultOfUserName,
  onlyNameOf,
  parseSecurityFile,
  type SecurityRules,
  type UserRecord
} from './security-file.ts'
export { editSecurityFile, readSecurityRules, type SecurityFile } from './security-file-edit.ts'
export { type SettingsParts, securityFromSettings, tlsFromSettings } from './settings.ts'
export { type ClientAuth, openTls, type Tls, type TlsFiles, type TlsParts } from './tls.ts'
export {
  type KeySet,
  openTokens,
  parseKeySet,
  type TokenOptions,
  type TokenVerifier,
  tokenAlgorithms,
  type VerifiedToken
} from './token.ts'
