export { natsEngine, type NatsEngineOptions } from './nats-engine.ts';
