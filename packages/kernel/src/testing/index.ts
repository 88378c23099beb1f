export { type TestCertificate, TestAuthority } from './test-authority.ts';
