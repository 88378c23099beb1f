// Loaded before the tests: properties are tried on the same inputs in every run, so that a red test is a change's own
// fault. Other inputs are for `npm run fuzz` and for HEDDLE_PROPERTY_SEED=<number>.
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['HEDDLE_PROPERTY_SEED'] ?? 1) });
