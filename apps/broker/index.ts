export { type Broker, type BrokerLimits, type BrokerParts, type LogIn, listenBroker } from './broker.ts'
export type { AuthenticationTerms } from './security/authentication.ts'
export { readMechanisms, type SaslMechanism, saslMechanisms } from './security/sasl.ts'
