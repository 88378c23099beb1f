export { type TestCertificate, TestAuthority } from './test-authority.ts';
export { type MortalRuntime, mortalRuntime } from './mortal-runtime.ts';
