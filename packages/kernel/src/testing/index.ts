export { type TestCertificate, TestAuthority } from './test-authority.ts';
export { type MortalRuntime, mortalRuntime } from './mortal-runtime.ts';
export { testTranscripts } from './node/transcript-files.ts';
export { type Command, parseDurationMs, runTranscript } from './transcript.ts';
export { until } from './until.ts';
