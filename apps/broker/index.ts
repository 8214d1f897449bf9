export { type Broker, type BrokerLimits, type BrokerParts, listenBroker } from './broker.ts'
