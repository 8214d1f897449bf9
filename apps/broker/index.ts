export { type Broker, type BrokerLimits, type BrokerParts, type LogIn, listenBroker } from './broker.ts'
export type { AuthenticationTerms } from './security/authentication.ts'
export { type AuthorizeParts, accessTable, authorize } from './security/authorize.ts'
export { readMechanisms, type SaslMechanism, saslMechanisms } from './security/sasl.ts'
