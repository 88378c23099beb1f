export { kafkaEngine, type KafkaEngineOptions } from './kafka-engine.ts';
