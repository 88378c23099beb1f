export { type Command, parseDurationMs, runTranscript } from '@heddle/kernel/testing';
